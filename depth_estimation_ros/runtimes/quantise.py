# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks in 8-bit integers: made with pictures, judged on pictures that were held back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.preprocessing import Preprocessing
from depth_estimation_ros.runtimes import libraries

GATE = 0.05
"""How far the int8 network may be from its fp32 self, see `distance`."""

_LEAST = 6  # pictures
_HELD = 3  # every third is held back
_SUFFIXES = {'.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp'}


def read_pictures(
    folder: Path, spec: ModelSpec, width: int, height: int
) -> list[NDArray[np.uint8]]:
    """The colour pictures of a folder, each [1, height, width, 3] RGB, as the network sees them.

    Depth images and the like, which are not three channels of 8 bits, are passed over.

    Raises:
        ValueError: There are too few.
    """
    files = sorted(path for path in folder.rglob('*') if path.suffix.lower() in _SUFFIXES)
    pictures = [_fitted(picture, spec, width, height) for picture in _colour(files)]
    if len(pictures) < _LEAST:
        raise ValueError(
            f'{folder} holds {len(pictures)} colour pictures; int8 takes at least {_LEAST} of '
            'what the camera will see, better a hundred'
        )
    return pictures


def _colour(files: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    for file in files:
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.dtype == np.uint8 and picture.shape[2:] == (3,):
            yield cast('NDArray[np.uint8]', cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _fitted(
    picture: NDArray[np.uint8], spec: ModelSpec, width: int, height: int
) -> NDArray[np.uint8]:
    fitted = np.empty((1, height, width, 3), np.uint8)
    rows, columns, _ = picture.shape
    Preprocessing(spec, columns, rows, width, height).apply(picture, fitted[0])
    return fitted


def split(
    pictures: Sequence[NDArray[np.uint8]],
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Those that calibrate, and those that are held back to judge by."""
    held = list(pictures[_HELD - 1 :: _HELD])
    return [p for index, p in enumerate(pictures) if index % _HELD != _HELD - 1], held


def quantise(source: Path, target: Path, pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Write an ONNX network in int8, its ranges taken from what these pictures cause in it.

    Weights have a scale for each channel; activations that of their least and greatest value.
    """
    libraries.onnxruntime()
    quantization = importlib.import_module('onnxruntime.quantization')
    shapes = importlib.import_module('onnxruntime.quantization.shape_inference')
    prepared = source.with_suffix('.prepared.onnx')
    shapes.quant_pre_process(source, prepared, skip_symbolic_shape=True)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc,name-defined]
        remaining = iter(pictures)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            picture = next(self.remaining, None)
            return None if picture is None else {'pixels': picture}

    quantization.quantize_static(
        prepared,
        target,
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )
    prepared.unlink()


def distance(
    outputs: Sequence[NDArray[np.float32]],
    references: Sequence[NDArray[np.float32]],
    kind: DepthKind,
) -> float:
    """How far answers are from those in fp32, mean over pictures.

    For metres AbsRel, the mean of abs(z - t) / t. For inverse depth, whose scale and shift mean
    nothing, the answer is aligned first, and the mean difference is taken over the mean distance
    of t from its median: 0 where all is the same, 1 where nothing of the picture is left.
    """
    judge = _absolute_relative if kind is DepthKind.METRIC else _aligned
    pairs = zip(outputs, references, strict=True)
    return float(np.mean([judge(z.astype(np.float64), t) for z, t in pairs]))


def _absolute_relative(output: NDArray[np.float64], reference: NDArray[np.float32]) -> float:
    known = reference > 0
    return float(np.mean(np.abs(output - reference)[known] / reference[known]))


def _aligned(output: NDArray[np.float64], reference: NDArray[np.float32]) -> float:
    columns = np.stack([output.ravel(), np.ones(output.size)], axis=-1)
    fit = np.linalg.lstsq(columns, reference.ravel(), rcond=None)[0]
    spread = np.abs(reference - np.median(reference)).mean()
    return float(np.abs(columns @ fit - reference.ravel()).mean() / spread)
