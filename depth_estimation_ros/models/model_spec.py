# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What must be known about a network to use it correctly."""

from __future__ import annotations

import dataclasses

from depth_estimation_ros.frames import DepthKind


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
        valid_range: Depths in metres that the training data covered; of a relative network it
            says nothing.
        licence: Licence of the weights, and what else binds them.
        commercial: Whether all of that allows commercial use.
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
        tolerance: How far a runtime in fp32 may be from PyTorch: the largest difference over the
            mean magnitude; ten times as far in half precision.
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
    tolerance: float = 1e-3

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
