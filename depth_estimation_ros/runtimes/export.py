# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network as a file for other programs, and in int8 for this one."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models import weights
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes import (
    libraries,
    onnx_session,
    openvino_session,
    prepared,
    quantise,
    selfcheck,
)
from depth_estimation_ros.runtimes.base import Say, Session
from depth_estimation_ros.runtimes.from_pixels import FromPixels

FORMATS = {'onnx': ('.onnx',), 'openvino': ('.xml', '.bin')}
_RUNTIMES = {'onnx': 'onnxruntime', 'openvino': 'openvino'}
_UNITS = {
    DepthKind.METRIC: 'metres along the optical axis',
    DepthKind.RELATIVE: 'inverse depth of unknown scale and shift',
}


@dataclasses.dataclass(frozen=True)
class Export:
    """What is to be written.

    Attributes:
        spec: The model.
        width, height: Size of the network's input.
        format: onnx or openvino.
        pictures: Folder of pictures to make it int8 with; None: fp32.
    """

    spec: ModelSpec
    width: int
    height: int
    format: str
    pictures: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a size that the network does not take."""
        spec = self.spec
        nominal = (spec.width, spec.height)
        fixed = spec.fitting == 'stretch' and (self.width, self.height) != nominal
        if fixed or any(side < 1 or side % spec.multiple for side in (self.width, self.height)):
            only = f'{spec.width}x{spec.height}' if fixed else f'multiples of {spec.multiple}'
            raise ValueError(f'{spec.name} takes {only}, not {self.width}x{self.height}')

    @property
    def stem(self) -> str:
        """What the names of the files begin with."""
        name = prepared.as_file(self.spec.name)
        return f'{name}-{self.width}x{self.height}{"" if self.pictures is None else "-int8"}'

    @functools.cached_property
    def job(self) -> prepared.Job:
        """As its runtime knows it."""
        checksum = prepared.checksum(self.spec)
        return prepared.Job(self.spec, checksum, self.width, self.height, 'cpu')


def export(what: Export, folder: Path, say: Say, overwrite: bool = False) -> list[Path]:
    """Write a network and, as JSON, what to know of it; int8 also to where its runtime finds it.

    Args:
        what: The network.
        folder: Where to.
        say: Takes what people may want to know meanwhile.
        overwrite: Whether files that are there may be replaced.

    Returns:
        The files, what people read last.

    Raises:
        FileExistsError: One of them is there.
        FileNotFoundError: There are no weights.
        ValueError: The result is too far from PyTorch in fp32, or there are too few pictures.
    """
    facts_file = f'{what.stem}.{what.format}.json'
    wanted = [f'{what.stem}{suffix}' for suffix in FORMATS[what.format]] + [facts_file]
    there = [str(folder / name) for name in wanted if (folder / name).exists()]
    if there and not overwrite:
        raise FileExistsError(f'{", ".join(there)} is there; --overwrite replaces it')
    network = FromPixels(weights.load(what.spec), what.spec).eval()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix='exporting-', dir=folder) as temporary,
        warnings.catch_warnings(),
    ):
        # Converters complain about what they cannot know; the result is compared with PyTorch.
        warnings.simplefilter('ignore')
        file = Path(temporary, f'{what.stem}{FORMATS[what.format][0]}')
        say(f'{what.job.title}: converting to {what.format}')
        try:
            if what.pictures is None:
                facts = _in_fp32(what, network, file)
            else:
                facts = _in_int8(what, network, file, what.pictures, say)
        except RuntimeError as error:  # which converters raise
            raise ValueError(f'{what.stem}: {what.format} does not take it: {error}') from error
        text = json.dumps(_description(what, facts), indent=1, ensure_ascii=False)
        (file.parent / facts_file).write_text(text + '\n', 'utf-8')
        names = [path.name for path in sorted(Path(temporary).glob(f'{what.stem}.*'))]
        for name in names:
            os.replace(Path(temporary, name), folder / name)
    return [folder / name for name in sorted(names, key=lambda name: name.endswith('.json'))]


def _in_fp32(what: Export, network: FromPixels, file: Path) -> dict[str, Any]:
    width, height = what.width, what.height
    if what.format == 'onnx':
        onnx_session.convert(network, width, height, file)
    else:
        model = openvino_session.convert(network, width, height)
        libraries.openvino().save_model(model, file, compress_to_fp16=False)
    frame = selfcheck.reference_pixels(width, height)
    session = _session(what, file)
    deviation = selfcheck.difference(session.run(frame), _answer(network, frame))
    allowed = selfcheck.tolerance(what.spec, half=False)
    if not deviation <= allowed:
        raise ValueError(
            f'{what.stem}: {what.format} deviates from PyTorch by {deviation:.2g}, more than '
            f'{allowed:.2g}; nothing was written'
        )
    return {'precision': 'fp32', 'deviation_from_pytorch': deviation}


def _in_int8(
    what: Export,
    network: FromPixels,
    file: Path,
    pictures: Path,
    say: Say,
) -> dict[str, Any]:
    width, height = what.width, what.height
    calibrating, held = quantise.split(quantise.read_pictures(pictures, what.spec, width, height))
    say(f'{len(calibrating)} pictures calibrate, {len(held)} judge')
    source, quantised = file.with_name('fp32.onnx'), file.with_name(f'{what.stem}.onnx')
    onnx_session.convert(network, width, height, source)
    quantise.quantise(source, quantised, calibrating)
    if what.format == 'openvino':
        openvino = libraries.openvino()
        openvino.save_model(openvino.Core().read_model(quantised), file, compress_to_fp16=False)
        quantised.unlink()
    session = _session(what, file)
    answers = [session.run(picture).copy() for picture in held]
    references = [_answer(network, picture) for picture in held]
    distance = quantise.distance(answers, references, what.spec.kind)
    if not distance <= quantise.GATE:
        raise ValueError(
            f'{what.stem}: int8 is {100 * distance:.1f} % from fp32 on {len(held)} pictures that '
            f'were held back, more than {100 * quantise.GATE:g} %; nothing was written'
        )
    say(f'int8 is {100 * distance:.1f} % from fp32 on the {len(held)} that judge')
    _keep(what, file, session, say)
    return {'precision': 'int8', 'distance_from_fp32': distance, 'judged_on_pictures': len(held)}


def _session(what: Export, file: Path) -> Session:
    if what.format == 'onnx':
        return onnx_session.OnnxSession(file)
    openvino_session.compile_into(file.parent, file)
    return openvino_session.OpenVinoSession(file.parent)


def _keep(what: Export, file: Path, session: Session, say: Say) -> None:
    """Put an int8 network to where its runtime looks for it."""
    job, runtime = what.job, f'{_RUNTIMES[what.format]}-int8'
    frame = selfcheck.reference_pixels(job.width, job.height)
    (milliseconds,) = selfcheck.milliseconds([session], frame)
    with prepared.alone(job, say), prepared.making(job, runtime) as folder:
        if what.format == 'onnx':
            shutil.copy(file, folder / onnx_session.FILE)
        else:
            openvino_session.compile_into(folder, file)
        prepared.judge(folder, prepared.Verdict(runtime, milliseconds))


def _answer(network: FromPixels, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    with torch.no_grad():  # as in prepare
        answer: NDArray[np.float32] = network(torch.from_numpy(pixels)).numpy()
    return answer


def _description(what: Export, facts: dict[str, Any]) -> dict[str, Any]:
    spec = what.spec
    shape = [1, what.height, what.width, 3]
    return {
        'model': spec.name,
        'kind': spec.kind.value,
        'unit': _UNITS[spec.kind],
        'valid_range': spec.valid_range,
        'input': {'name': 'pixels', 'type': 'uint8', 'shape': shape, 'channels': 'RGB'},
        'output': {'name': 'depth', 'type': 'float32', 'axes': 'batch, row, column'},
        'fitting': spec.fitting,
        'licence': spec.licence,
        'commercial_use': spec.commercial,
        'weights_sha256': what.job.checksum.split()[0],
        **facts,
    }
