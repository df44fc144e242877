# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The same frame the way it is usually written, to measure against.

Hugging Face's image processor, PyTorch's bicubic resize, a colour map of matplotlib, a cloud from
meshgrid, new messages filled with `tobytes()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import Config
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.models.torchvision_compat import ensure_torchvision

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class UsualRoad:
    """Image message in, all messages published.

    Args:
        spec: The network, for the processor's size and normalisation.
        network: [1, 3, h, w] in, [1, h, w] out.
        camera: Intrinsics; distortion is ignored.
        fit: From inverse depth to metres.
        publish: Takes a topic's name and its message.
        latency: Takes the durations.
    """

    def __init__(
        self,
        spec: ModelSpec,
        network: Network,
        camera: Camera,
        fit: Fit,
        publish: Callable[[str, Any], None],
        latency: Latency,
    ) -> None:
        self._network, self._camera, self._fit = network, camera, fit
        self._publish, self._latency, self._config = publish, latency, Config()
        self._processor = _processor(spec)

    def process(self, message: Any) -> None:
        """Take a frame down the road."""
        stage = self._latency.stage
        with stage('decode'):
            data = np.frombuffer(message.data, np.uint8)
            image = data.reshape(message.height, message.width, 3)[..., ::-1]
            picture = Picture.fromarray(image)
        with stage('preprocess'):
            pixels = self._processor(images=picture, return_tensors='pt')['pixel_values']
        with stage('network'):
            answer = self._network(pixels.numpy())
        with stage('restore'):
            values = _bicubic(answer, image.shape[:2])
        with stage('calibrate'):
            depth = 1.0 / (self._fit.scale * values + self._fit.shift)
            depth = np.where(depth < self._config.range.min, -np.inf, depth)
            depth = np.where(depth > self._config.range.max, np.inf, depth)
        with stage('colour'):
            colours = self._colours(depth)
            _, jpeg = cv2.imencode('.jpg', colours[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
        with stage('cloud'):
            points = self._points(depth, image)
        with stage('publish'):
            self._publish('depth/image', _image(message, depth.astype(np.float32), '32FC1'))
            self._publish('depth/camera_info', self._camera_info(message))
            self._publish('inverse_depth/image', _image(message, values, '32FC1'))
            self._publish('colorized/image', _image(message, colours, 'rgb8'))
            compressed = CompressedImage(header=message.header, format='jpeg')
            compressed.data = jpeg.tobytes()
            self._publish('colorized/image/compressed', compressed)
            self._publish('points', _cloud(message, points))

    def _colours(self, depth: NDArray[Any]) -> NDArray[np.uint8]:
        options = self._config.colorize
        position = (depth - options.min) / (options.max - options.min)
        colours = mpl.colormaps['turbo_r'](position)[..., :3] * 255
        return np.asarray(colours.astype(np.uint8))

    def _points(self, depth: NDArray[Any], image: NDArray[np.uint8]) -> NDArray[np.float32]:
        camera = self._camera
        u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        z = np.where(np.isfinite(depth), depth, np.nan)
        x, y = (u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z
        red, green, blue = (image[..., i].astype(np.uint32) for i in range(3))
        packed = (red << 16 | green << 8 | blue).view(np.float32)
        return np.stack([x, y, z, packed], axis=-1).astype(np.float32)

    def _camera_info(self, message: Any) -> Any:
        camera = self._camera
        info = CameraInfo(header=message.header, width=camera.width, height=camera.height)
        info.k = camera.matrix.ravel().tolist()
        return info


def _processor(spec: ModelSpec) -> Any:
    """As Depth Anything's preprocessor_config.json sets it up, for another size."""
    ensure_torchvision()
    from transformers.models.dpt import DPTImageProcessorPil

    return DPTImageProcessorPil(
        size={'height': spec.height, 'width': spec.width},
        keep_aspect_ratio=True,
        ensure_multiple_of=spec.multiple,
        resample=3,
        image_mean=list(spec.mean),
        image_std=list(spec.std),
        do_pad=False,
    )


def _bicubic(answer: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    values = torch.nn.functional.interpolate(
        torch.from_numpy(answer)[:, None], size=size, mode='bicubic', align_corners=False
    )
    return np.asarray(values[0, 0].numpy())


def _image(message: Any, array: NDArray[Any], encoding: str) -> Any:
    height, width = array.shape[:2]
    filled = Image(header=message.header, height=height, width=width, encoding=encoding)
    filled.step = array.strides[0]
    filled.data = array.tobytes()
    return filled


def _cloud(message: Any, points: NDArray[np.float32]) -> Any:
    height, width, _ = points.shape
    filled = PointCloud2(header=message.header, height=height, width=width, is_dense=False)
    filled.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(('x', 'y', 'z', 'rgb'))
    ]
    filled.point_step, filled.row_step = 16, 16 * width
    filled.data = points.tobytes()
    return filled
