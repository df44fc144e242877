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
        sha256: Checksum of that file, or its first digits where only those were published; empty
            where nobody published one.
        description: One line.
        fitting: How an image of another aspect is resized: `cover` keeps the nominal short side,
            `contain` the nominal long side, `stretch` distorts it to exactly width x height.
        repository: Hugging Face id, where the weights are fetched from there with `config.json`.
        revision: Branch, tag or commit of that repository.
        url: Address of the weights file, where it is fetched directly.
        megabytes: Size of the download, 10^6 bytes, about.
        folder: Where its files lie, for a model that the user names by a path; empty: in the
            package or in the folder of models.
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
    description: str
    fitting: str = 'cover'
    repository: str = ''
    revision: str = 'main'
    url: str = ''
    megabytes: float = 0.0
    folder: str = ''

    @property
    def bundled(self) -> bool:
        """Whether the weights travel with the package."""
        return not (self.repository or self.url or self.folder)

    @property
    def source(self) -> str:
        """Where the weights come from, and what to do when they are missing."""
        if self.bundled:
            return 'It travels with the package: install depth_estimation_ros again.'
        if self.folder:
            return 'It was given by its path: give one where it lies.'
        return (
            f'Run `depth-estimation models download {self.name}`, or give the path of '
            f'{self.file} as the parameter weights.'
        )


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

_METER_URL = 'https://github.com/lorenzopapa5/METER/raw/main/models/'

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
    description='METER xxs for indoor scenes, 0.7 million parameters.',
    url=f'{_METER_URL}build_model_best_nyu_xxs',
    megabytes=3.0,
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
    description='METER xxs for roads seen from a car, 0.7 million parameters.',
    url=f'{_METER_URL}build_model_best_kitti_xxs',
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
