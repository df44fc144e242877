# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders as Hugging Face lays them out: what the files beside the weights say about a network."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.configurations import Configuration
from depth_estimation_ros.models.model_spec import ModelSpec

WEIGHTS = ('model.safetensors', 'pytorch_model.bin')  # the better one first
_NEAR = 0.001  # metres; what the authors of all these networks leave out of training
_HALF = [0.5, 0.5, 0.5]
# What the image processor of a model type does where its file says nothing, as in transformers.
_PROCESSORS: dict[str, dict[str, Any]] = {
    'depth_anything': {'size': {'height': 384, 'width': 384}, 'keep_aspect_ratio': False},
    'dpt': {'size': {'height': 384, 'width': 384}, 'keep_aspect_ratio': False},
    'zoedepth': {'size': {'height': 384, 'width': 512}, 'keep_aspect_ratio': True},
    'depth_pro': {'size': {'height': 1536, 'width': 1536}, 'keep_aspect_ratio': False},
    # It takes images at their own size; this one is that of its training.
    'glpn': {
        'size': {'height': 480, 'width': 640},
        'keep_aspect_ratio': True,
        'do_normalize': False,
    },
}
_CLASSES = {
    'depth_anything': 'DPT',
    'dpt': 'DPT',
    'zoedepth': 'ZoeDepth',
    'depth_pro': 'DepthPro',
    'glpn': 'GLPN',
}


def configuration(weights: Path) -> Configuration | None:
    """What `config.json` says of the network whose weights lie beside it; None: nothing.

    Only files by the names that Hugging Face uses have one: what lies beside another file is not
    its own.

    Raises:
        ValueError: It is damaged, of a network that is not known here, answers nothing that can be
            used, or wants weights that lie elsewhere.
    """
    file = weights.with_name('config.json')
    if weights.name not in WEIGHTS or not file.is_file():
        return None
    found = _json(file)
    kind, names = found.get('model_type'), [str(n) for n in found.get('architectures') or []]
    if kind not in _PROCESSORS or not all(n.endswith('ForDepthEstimation') for n in names):
        raise ValueError(
            f'{file} is of {", ".join(names) or kind}; known are networks for depth estimation of '
            f'the model types {", ".join(sorted(_PROCESSORS))}'
        )
    try:
        _, (near, far) = _answers(found)
        _multiple(found, 1)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f'{file} is damaged: {error!r}') from error
    if not 0 < near < far < math.inf:
        raise ValueError(f'{file} is of a network that sees from {near:g} to {far:g} m')
    if kind == 'depth_pro' and not found.get('use_fov_model'):
        raise ValueError(
            f'{file} says no use_fov_model: without the field of view Depth Pro has no metres'
        )
    if found.get('use_pretrained_backbone') or (
        found.get('backbone') and not found.get('backbone_config')
    ):
        raise ValueError(
            f'{file} wants a backbone from elsewhere ({found.get("backbone")}), which is not '
            'fetched; save the network with its backbone_config'
        )
    return found


def weights_file(folder: Path) -> Path:
    """The weights in a folder.

    Raises:
        FileNotFoundError: There are none, or they are in pieces.
    """
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f'there is neither {" nor ".join(WEIGHTS)} in {folder}; weights in several pieces are '
        'not read: save them in one'
    )


def describe(folder: Path, name: str) -> ModelSpec:
    """The model in a folder, by its `config.json` and `preprocessor_config.json`.

    Raises:
        FileNotFoundError: One of the two, or the weights, are missing.
        ValueError: It cannot be used as it is; the text says why.
    """
    weights = weights_file(folder)
    found = configuration(weights)
    if found is None:
        raise FileNotFoundError(
            f'there is no config.json in {folder}: nothing says what the network is'
        )
    processor_file = folder / 'preprocessor_config.json'
    if not processor_file.is_file():
        raise FileNotFoundError(
            f'there is no {processor_file}, which says what size and normalisation the network '
            'was trained with; it comes with the weights'
        )
    kind, valid_range = _answers(found)
    sizes = _sizes(processor_file, found)
    return ModelSpec(
        name=name,
        architecture=found['model_type'],
        kind=kind,
        **sizes,
        metres_per_unit=1.0,
        valid_range=valid_range,
        licence='as told where the weights come from',
        commercial=False,
        file=weights.name,
        sha256='',
        description=f'{found["model_type"]} in {folder}.',
        folder=str(folder),
    )


def write_processor(spec: ModelSpec, model_type: str, folder: Path) -> None:
    """Write the `preprocessor_config.json` that prepares images as this model says."""
    said = {
        'image_processor_type': f'{_CLASSES[model_type]}ImageProcessor',
        'size': {'height': spec.height, 'width': spec.width},
        'keep_aspect_ratio': spec.fitting == 'cover',
        'ensure_multiple_of': spec.multiple,
        'do_normalize': spec.std != (1.0, 1.0, 1.0),
        'image_mean': spec.mean,
        'image_std': spec.std,
    }
    (folder / 'preprocessor_config.json').write_text(json.dumps(said, indent=2), 'utf-8')


def check(spec: ModelSpec, found: Configuration, expected: Configuration) -> None:
    """Refuse a configuration that says something else than what is known of the model.

    Its normalisation and size are those of the model, and wrong for another network.

    Args:
        spec: The model.
        found: Of `config.json`.
        expected: As much of it as is known of the model.

    Raises:
        ValueError: Another kind, another farthest depth, or another network.
    """
    kind, (_, far) = _answers(found)
    if kind is not spec.kind:
        raise ValueError(
            f'config.json beside the weights is of a {kind.value} network, not of {spec.name}, '
            f'which is {spec.kind.value}'
        )
    if kind is DepthKind.METRIC and abs(far * spec.metres_per_unit - spec.valid_range[1]) > 1e-6:
        raise ValueError(
            f'config.json beside the weights says max_depth {far:g}, so they are not those of '
            f'{spec.name}, which has {spec.valid_range[1] / spec.metres_per_unit:g}'
        )
    if others := _differences(expected, found):
        raise ValueError(
            f'config.json beside the weights is of another network than {spec.name}: '
            f'{"; ".join(others)}. Name the folder as the model'
        )


def _differences(expected: Configuration, found: Configuration) -> list[str]:
    """What both give, but differently; what is left out has the default of transformers."""
    others: list[str] = []
    for key in expected.keys() & found.keys():
        wanted, told = expected[key], found[key]
        if isinstance(wanted, dict) and isinstance(told, dict):
            others += _differences(wanted, told)
        elif wanted != told:
            others.append(f'{key} {told}, not {wanted}')
    return sorted(others)


def _answers(found: Configuration) -> tuple[DepthKind, tuple[float, float]]:
    """Relative or metric, and from where to where, by a configuration."""
    kind = found['model_type']
    if kind == 'glpn':
        return DepthKind.METRIC, (_NEAR, float(found.get('max_depth', 10)))
    if kind == 'zoedepth':
        bins = found.get('bin_configurations') or [{'min_depth': _NEAR, 'max_depth': 10.0}]
        far = max(float(one['max_depth']) for one in bins)
        return DepthKind.METRIC, (min(float(one['min_depth']) for one in bins), far)
    if kind == 'depth_pro':
        return DepthKind.METRIC, (0.0001, 10_000.0)
    if found.get('depth_estimation_type') == 'metric':
        return DepthKind.METRIC, (_NEAR, float(found.get('max_depth') or math.nan))
    return DepthKind.RELATIVE, (_NEAR, 10_000.0)


def _sizes(file: Path, found: Configuration) -> dict[str, Any]:
    """Size, normalisation and fitting, by the file of the image processor.

    Raises:
        ValueError: It asks for what is not done here.
    """
    said = {key: value for key, value in _json(file).items() if value is not None}
    asked = _PROCESSORS[found['model_type']] | said
    if not (asked.get('do_rescale', True) and asked.get('do_resize', True)):
        raise ValueError(f'{file} turns do_rescale or do_resize off; networks here need both')
    rescale = asked.get('rescale_factor', 1 / 255)
    if not math.isclose(rescale, 1 / 255, rel_tol=1e-6):
        raise ValueError(f'{file}: rescale_factor is 1/255 here, not {rescale}')
    if asked.get('do_pad') and found['model_type'] != 'zoedepth':
        raise ValueError(f'{file} turns do_pad on; images are resized here, not padded')
    height, width = _sides(file, asked['size'])
    keeps = asked['keep_aspect_ratio'] and not _rigid(found)
    multiple = _multiple(found, height)
    if height % multiple or width % multiple:
        raise ValueError(f'{file} asks for {width}x{height}, no multiples of {multiple}')
    normalised = asked.get('do_normalize', True)
    mean, std = (
        _three(file, key, asked.get(key, _HALF) if normalised else neutral)
        for key, neutral in (('image_mean', 0.0), ('image_std', 1.0))
    )
    if min(std) <= 0:
        raise ValueError(f'{file}: image_std is above 0, not {list(std)}')
    return {
        'height': height,
        'width': width,
        'multiple': multiple,
        'mean': mean,
        'std': std,
        'fitting': 'cover' if keeps else 'stretch',
    }


def _sides(file: Path, size: Any) -> tuple[int, int]:
    sides = {'height': size, 'width': size} if isinstance(size, int) else size
    try:
        height, width = int(sides['height']), int(sides['width'])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{file}: size has height and width, not {size}') from error
    if min(height, width) < 1:
        raise ValueError(f'{file}: size is {width}x{height}, no size of an image')
    return height, width


def _rigid(found: Configuration) -> bool:
    """Whether transformers' network takes one size only, or squares only."""
    backbone = (found.get('backbone_config') or {}).get('model_type')
    plain = found['model_type'] == 'dpt' and backbone in (None, 'bit')
    return plain or backbone == 'swinv2' or found['model_type'] == 'depth_pro'


def _multiple(found: Configuration, height: int) -> int:
    """What both sides of the input must be multiples of."""
    if found['model_type'] == 'depth_pro':
        return height  # it takes this one size
    patch = (found.get('backbone_config') or found).get('patch_size', 16)
    # The coarsest features are at half the resolution of patches of 16.
    return int(patch) if patch == 14 else 32


def _three(file: Path, key: str, value: Any) -> tuple[float, float, float]:
    try:
        red, green, blue = map(float, value if isinstance(value, list) else [value] * 3)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{file}: {key} has a number for each colour, not {value}') from error
    return red, green, blue


def _json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text('utf-8')))
    except (ValueError, TypeError) as error:
        raise ValueError(f'{file} is damaged: {error}') from error
