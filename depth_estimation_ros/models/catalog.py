# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that can be chosen by name."""

from __future__ import annotations

import difflib
from dataclasses import replace

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.model_spec import ModelSpec

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
_ZERO, _ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # values 0..1 as they are
_KITTI = 'trained on KITTI (CC BY-NC-SA 3.0, not for commercial use)'
_MIDAS_31 = f'MIT; {_KITTI} and 11 other sets'

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
_BUNDLED_RELATIVE = replace(
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
_METER_KITTI = replace(
    _METER_NYU,
    name='meter-kitti-xxs',
    width=640,
    mean=_ZERO,
    std=_ONE,
    metres_per_unit=0.1,
    valid_range=(1.0, 80.0),
    licence=f'MIT; {_KITTI}',
    commercial=False,
    file='build_model_best_kitti_xxs',
    sha256='e55544ae36f9ad74237017fd5f8e761db4b258dbed44623c71ce305d44488bea',
    description='METER xxs for roads seen from a car, 0.7 million parameters.',
    url=f'{_METER_URL}build_model_best_kitti_xxs',
)

_MIDAS_SMALL = ModelSpec(
    name='midas-v21-small',
    architecture='midas-v21-small',
    kind=DepthKind.RELATIVE,
    height=256,
    width=256,
    multiple=32,
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    metres_per_unit=1.0,
    valid_range=(0.001, 10_000.0),
    licence='MIT',
    commercial=True,
    file='midas_v21_small-70d6b9c8.pt',
    sha256='70d6b9c8',  # from the file's name, as for torch.hub; the rest was not published
    description='MiDaS v2.1 small, for small computers: 21 million parameters.',
    fitting='contain',
    url='https://github.com/isl-org/MiDaS/releases/download/v2_1/midas_v21_small-70d6b9c8.pt',
    megabytes=86.0,
)

# transformers' plain vision transformer and Swin's windows take squares only.
_DPT_LARGE = replace(
    _MIDAS_SMALL,
    name='dpt-large',
    architecture='dpt-large',
    height=384,
    width=384,
    mean=_HALF,
    std=_HALF,
    licence='Apache-2.0',
    file='model.safetensors',
    sha256='',
    description='MiDaS v3 DPT-Large, a vision transformer: 343 million parameters.',
    fitting='stretch',
    url='',
    repository='Intel/dpt-large',
    revision='bc15f29aa3a80d532f2ed650b5e16ac48d8958f9',
    megabytes=1368.0,
)
_DPT = (
    replace(
        _DPT_LARGE,
        name='dpt-hybrid',
        architecture='dpt-hybrid',
        file='pytorch_model.bin',
        description='MiDaS v3 DPT-Hybrid, convolutions and a transformer: 122 million parameters.',
        repository='Intel/dpt-hybrid-midas',
        revision='11eaf7a1cf4bd70740697dbc216f98980c0aeb03',
        megabytes=490.0,
    ),
    _DPT_LARGE,
    replace(
        _DPT_LARGE,
        name='dpt-beit-base-384',
        architecture='dpt-beit-base-384',
        licence=_MIDAS_31,
        commercial=False,
        description='MiDaS v3.1 on BEiT-Base: 111 million parameters.',
        fitting='cover',
        repository='Intel/dpt-beit-base-384',
        revision='e22f6ad701b672c643643c403a3fa7da27515222',
        megabytes=443.0,
    ),
    replace(
        _DPT_LARGE,
        name='dpt-beit-large-512',
        architecture='dpt-beit-large-512',
        height=512,
        width=512,
        licence=_MIDAS_31,
        commercial=False,
        description='MiDaS v3.1 on BEiT-Large, the most accurate of them: 344 million parameters.',
        fitting='cover',
        repository='Intel/dpt-beit-large-512',
        revision='main',
        megabytes=1376.0,
    ),
    replace(
        _DPT_LARGE,
        name='dpt-swinv2-tiny-256',
        architecture='dpt-swinv2-tiny-256',
        height=256,
        width=256,
        licence=_MIDAS_31,
        commercial=False,
        description='MiDaS v3.1 on Swin V2 Tiny: 41 million parameters.',
        repository='Intel/dpt-swinv2-tiny-256',
        revision='f7f350e1a10a5ea58671b68ab5f49dc18ec00483',
        megabytes=164.0,
    ),
)


def _depth_anything(
    version: str, size: str, parameters: str, megabytes: float, revision: str = 'main'
) -> ModelSpec:
    """A relative network of the family; `version` is v1 or v2, `parameters` in millions."""
    v2 = version == 'v2'
    free = not v2 or size == 'small'
    return replace(
        _DPT_LARGE,
        fitting='cover',
        name=f'depth-anything-{version}-{size}',
        architecture=f'depth-anything-{version}-{size}',
        height=518,
        width=518,
        multiple=14,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        licence='Apache-2.0' if free else 'CC-BY-NC-4.0',
        commercial=free,
        description=f'Depth Anything {version.upper()} {size.capitalize()}: '
        f'{parameters} million parameters.',
        repository=f'depth-anything/Depth-Anything-V2-{size.capitalize()}-hf'
        if v2
        else f'LiheYoung/depth-anything-{size}-hf',
        revision=revision,
        megabytes=megabytes,
    )


def _metric(relative: ModelSpec, scenes: str, far: float, data: str, free: bool) -> ModelSpec:
    """The sibling of a relative Depth Anything V2 that was trained on for metres."""
    size = relative.name.rpartition('-')[2]
    commercial = relative.commercial and free
    return replace(
        relative,
        name=f'depth-anything-v2-metric-{scenes}-{size}',
        kind=DepthKind.METRIC,
        valid_range=(0.001, far),
        # Their own pages name no licence; the authors name one for each size.
        licence=f'{relative.licence} by its size, its page names none; {data}',
        commercial=commercial,
        description=f'{relative.description[:-1]}, trained for metres {scenes}s.',
        repository=f'depth-anything/Depth-Anything-V2-Metric-{scenes.capitalize()}-'
        f'{size.capitalize()}-hf',
        revision='main',
    )


_DEPTH_ANYTHING_V1 = (
    _depth_anything('v1', 'small', '25', 99.2, '25216a913fa218ccb7d58cce818d52b728b6c1f6'),
    _depth_anything('v1', 'base', '97', 390.0),
    _depth_anything('v1', 'large', '335', 1341.0, '27ccb0920352c0c37b3a96441873c8d37bd52fb6'),
)
_DEPTH_ANYTHING_V2 = (
    _depth_anything('v2', 'small', '25', 99.2, '5426e4f0f36572d16453bbda7a8389317b1bef99'),
    _depth_anything('v2', 'base', '97', 390.0, 'b1958afc87fb45a9e3746cb387596094de553ed8'),
    _depth_anything('v2', 'large', '335', 1341.0, '7581137eff8d4e94f6e796d3baea0e9fa79b22d2'),
)
_HYPERSIM = 'trained on Hypersim (rendered; CC BY-SA 3.0)'
_VIRTUAL_KITTI = 'trained on Virtual KITTI 2 (rendered; CC BY-NC-SA 3.0, not for commercial use)'
_INDOOR = tuple(_metric(s, 'indoor', 20.0, _HYPERSIM, free=True) for s in _DEPTH_ANYTHING_V2)
_OUTDOOR = tuple(
    _metric(s, 'outdoor', 80.0, _VIRTUAL_KITTI, free=False) for s in _DEPTH_ANYTHING_V2
)

_GLPN_LICENCE = 'Apache-2.0 on Hugging Face, for non-commercial purposes only by its authors'
_GLPN_NYU = replace(
    _DPT_LARGE,
    name='glpn-nyu',
    architecture='glpn-mit-b4',
    fitting='cover',
    kind=DepthKind.METRIC,
    height=480,
    width=640,
    mean=_ZERO,
    std=_ONE,
    valid_range=(0.001, 10.0),
    licence=f'{_GLPN_LICENCE}; trained on NYU Depth V2',
    commercial=False,
    description='GLPN for indoor scenes: 61 million parameters.',
    repository='vinvino02/glpn-nyu',
    revision='cb8ce03174424af9a3315da175ead88667f0578c',
    megabytes=245.0,
)
_GLPN_KITTI = replace(
    _GLPN_NYU,
    name='glpn-kitti',
    height=352,
    width=1216,
    # Trained with 80 m as the far end, while the published config.json says 10.
    metres_per_unit=8.0,
    valid_range=(0.001, 80.0),
    licence=f'{_GLPN_LICENCE}; {_KITTI}',
    file='pytorch_model.bin',
    description='GLPN for roads seen from a car: 61 million parameters.',
    repository='vinvino02/glpn-kitti',
    revision='main',
)
_ZOEDEPTH = replace(
    _DPT_LARGE,
    name='zoedepth-nyu-kitti',
    architecture='zoedepth-nyu-kitti',
    fitting='cover',
    kind=DepthKind.METRIC,
    width=512,
    valid_range=(0.001, 80.0),
    licence=f'MIT; {_KITTI} and NYU Depth V2',
    commercial=False,
    description='ZoeDepth, which tells rooms from roads itself: 345 million parameters.',
    repository='Intel/zoedepth-nyu-kitti',
    revision='f364d4c7936e91f465abba182208dd68142bf0ca',
    megabytes=1380.0,
)
_DEPTH_PRO = replace(
    _DPT_LARGE,
    name='depth-pro',
    architecture='depth-pro',
    kind=DepthKind.METRIC,
    height=1536,
    width=1536,
    multiple=1536,
    valid_range=(0.0001, 10_000.0),
    licence='Apple Machine Learning Research Model (apple-amlr), for research only',
    commercial=False,
    description='Depth Pro, sharp edges and a focal length of its own: 952 million parameters.',
    repository='apple/DepthPro-hf',
    revision='main',
    megabytes=1904.0,
)

CATALOG: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        _BUNDLED,
        _BUNDLED_RELATIVE,
        _METER_NYU,
        _METER_KITTI,
        _MIDAS_SMALL,
        *_DPT,
        *_DEPTH_ANYTHING_V1,
        *_DEPTH_ANYTHING_V2,
        *_INDOOR,
        *_OUTDOOR,
        _GLPN_NYU,
        _GLPN_KITTI,
        _ZOEDEPTH,
        _DEPTH_PRO,
    )
}


def spec(name: str) -> ModelSpec:
    """The model of this name.

    Raises:
        ValueError: There is none.
    """
    if name not in CATALOG:
        near = difflib.get_close_matches(name, CATALOG, n=1)
        meant = f'did you mean {near[0]}? ' if near else ''
        raise ValueError(f'no model {name!r}; {meant}known are {", ".join(CATALOG)}')
    return CATALOG[name]
