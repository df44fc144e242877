# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that can be chosen by name, and what must be known of each to use it rightly."""

from __future__ import annotations

import dataclasses

from depth_estimation_ros.frames import DepthKind

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """One network with its weights.

    Attributes:
        name: What users type.
        architecture: The network that the weights belong to, see `architectures.build`.
        kind: RELATIVE (inverse depth, affine in 1/Z) or METRIC.
        height, width: Nominal size of the network's input, pixels; the shorter side is kept for
            images of another aspect.
        multiple: Both sides of the input must be multiples of this.
        mean, std: Normalisation of RGB in 0..1.
        metres_per_unit: Metres in one unit of a metric network's output; 1 for a relative one.
        valid_range: Depths in metres that the training data covered.
        licence: Licence of the weights, and what else binds them.
        commercial: Whether that licence allows commercial use.
        file: Name of the weights file.
        sha256: Checksum of that file; empty for the one that travels with the package.
        source: Where the weights come from, and what to do when they are missing.
        description: One line.
        fitting: How an image of another aspect is resized: `cover` keeps the nominal short side,
            `contain` the nominal long side, `stretch` distorts it to exactly width x height.
    """

    name: str
    architecture: str
    kind: DepthKind
    height: int
    width: int
    multiple: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    metres_per_unit: float
    valid_range: tuple[float, float]
    licence: str
    commercial: bool
    file: str
    sha256: str
    source: str
    description: str
    fitting: str = 'cover'


_BUNDLED = ModelSpec(
    name='bundled',
    architecture='encoder-decoder',
    kind=DepthKind.METRIC,
    height=192,
    width=256,
    multiple=32,
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    metres_per_unit=1.0,
    valid_range=(0.3, 12.0),
    licence='Apache-2.0',
    commercial=True,
    file='bundled.safetensors',
    sha256='',
    source='Travels with the package; install depth_estimation_ros again if it is missing.',
    description='Small network trained on rendered rooms only: for demonstrations and tests, '
    'not for real scenes.',
)

_BUNDLED_RELATIVE = dataclasses.replace(
    _BUNDLED,
    name='bundled-relative',
    kind=DepthKind.RELATIVE,
    description='The bundled network answering inverse depth of unknown scale and shift: small, '
    'trained on rendered rooms only, made to try out calibration.',
)

_METER_SOURCE = (
    'Download https://github.com/lorenzopapa5/METER/raw/main/models/{file} and put it there, '
    'or give its path as the parameter weights.'
)

_METER_NYU = ModelSpec(
    name='meter-nyu-xxs',
    architecture='meter-xxs',
    kind=DepthKind.METRIC,
    height=192,
    width=256,
    multiple=64,
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    metres_per_unit=0.01,
    valid_range=(0.1, 10.0),
    licence='MIT; trained on NYU Depth V2',
    commercial=True,
    file='build_model_best_nyu_xxs',
    sha256='327cddf3bfc85f4a13b8d18d2f13d8e40cdeb022ea397995c409ef1569bcbb53',
    source=_METER_SOURCE.format(file='build_model_best_nyu_xxs'),
    description='METER xxs for indoor scenes, 0.7 million parameters.',
)

_METER_KITTI = dataclasses.replace(
    _METER_NYU,
    name='meter-kitti-xxs',
    width=640,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    metres_per_unit=0.1,
    valid_range=(1.0, 80.0),
    licence='MIT; trained on KITTI (CC BY-NC-SA 3.0, not for commercial use)',
    commercial=False,
    file='build_model_best_kitti_xxs',
    sha256='e55544ae36f9ad74237017fd5f8e761db4b258dbed44623c71ce305d44488bea',
    source=_METER_SOURCE.format(file='build_model_best_kitti_xxs'),
    description='METER xxs for roads seen from a car, 0.7 million parameters.',
)

CATALOG: dict[str, ModelSpec] = {
    spec.name: spec for spec in (_BUNDLED, _BUNDLED_RELATIVE, _METER_NYU, _METER_KITTI)
}


def spec(name: str) -> ModelSpec:
    """The model of this name.

    Raises:
        ValueError: There is none.
    """
    if name not in CATALOG:
        raise ValueError(f'no model {name!r}; known are {", ".join(CATALOG)}')
    return CATALOG[name]
