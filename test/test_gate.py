# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references.gate import Gate, GateOptions

VALUES = np.geomspace(0.1, 1.0, 64 * 48, dtype=np.float32).reshape(48, 64)
MAP = DepthMap(
    Frame(np.zeros((48, 64, 3), np.uint8)), Prediction(VALUES, DepthKind.RELATIVE), None
)


def fitted(scale=1.0, shift=0.05, wrong=0, noise=0.01):
    """A fit to 100 references of this scale and shift, some of them with wrong depths."""
    random = np.random.default_rng(0)
    said = np.geomspace(0.1, 1.0, 100)
    z = 1.0 / (scale * said + shift) * (1.0 + noise * random.standard_normal(100))
    z[random.permutation(100)[:wrong]] *= 3.0
    return fit(said, z, DepthKind.RELATIVE)


def test_a_first_fit_is_held_to_its_own_figures_alone():
    gate = Gate(GateOptions())
    good = fitted()
    gate.check(good, MAP)
    assert gate.last is good


def test_references_that_contradict_each_other_are_refused_with_the_figures():
    gate = Gate(GateOptions())
    gate.check(first := fitted(), MAP)
    with pytest.raises(ValueError, match=r'only 5\d of 100 references agree.*60%.*transform'):
        gate.check(fitted(wrong=45), MAP)
    assert gate.last is first
    Gate(GateOptions(min_inliers=0.5)).check(fitted(wrong=45), MAP)


def test_a_fit_that_leaves_too_much_over_is_refused_with_the_figures():
    rough = fitted(noise=0.06)
    with pytest.raises(ValueError, match=r'error of [456]\.\d%.*max_residual is 3\.0%'):
        Gate(GateOptions(max_residual=0.03)).check(rough, MAP)
    Gate(GateOptions()).check(rough, MAP)


def test_a_jump_waits_until_as_many_as_patience_says_agree():
    gate = Gate(GateOptions())
    gate.check(first := fitted(), MAP)
    for seen in (1, 2):
        with pytest.raises(ValueError, match=rf'by (5|6)\d%.*20%.*3 in a row agree, {seen} so'):
            gate.check(fitted(scale=1.6, shift=0.08), MAP)
        assert gate.last is first
    gate.check(jumped := fitted(scale=1.6, shift=0.08), MAP)
    assert gate.last is jumped


def test_jumps_that_do_not_agree_with_each_other_never_pass():
    gate = Gate(GateOptions())
    gate.check(first := fitted(), MAP)
    for scale in (1.6, 0.5, 1.6, 0.5, 2.5):
        with pytest.raises(ValueError, match='1 so far'):
            gate.check(fitted(scale=scale, shift=0.05 * scale), MAP)
    assert gate.last is first


def test_a_bad_fit_or_a_usual_one_breaks_the_row():
    gate = Gate(GateOptions())
    usual, jump, bad = fitted(), fitted(scale=1.6, shift=0.08), fitted(wrong=45)
    gate.check(usual, MAP)
    for between in (usual, bad):
        for _ in range(2):
            with pytest.raises(ValueError, match='in a row'):
                gate.check(jump, MAP)
        try:
            gate.check(between, MAP)
        except ValueError:
            assert between is bad
        with pytest.raises(ValueError, match='1 so far'):
            gate.check(jump, MAP)
        gate = Gate(GateOptions())
        gate.check(usual, MAP)


def test_small_changes_pass_one_after_the_other():
    gate = Gate(GateOptions())
    for scale in 1.15 ** np.arange(6):
        gate.check(moved := fitted(scale=scale, shift=0.05 * scale), MAP)
        assert gate.last is moved


def test_where_the_fits_share_no_finite_depth_the_change_is_no_small_one():
    gate = Gate(GateOptions())
    gate.check(fitted(), MAP)
    unknown = dataclasses.replace(
        MAP, prediction=Prediction(np.full_like(VALUES, np.nan), DepthKind.RELATIVE)
    )
    with pytest.raises(ValueError, match='changes depths by inf%'):
        gate.check(fitted(), unknown)
