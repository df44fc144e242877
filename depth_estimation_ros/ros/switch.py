# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The service ~/set_model: another network while the present one goes on working."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rclpy.callback_groups import ReentrantCallbackGroup

from depth_estimation_interfaces.srv import SetModel
from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.ros.background import Background

if TYPE_CHECKING:
    from depth_estimation_ros.ros.node import DepthNode


class ModelSwitch:
    """Loads a network in a thread of its own; the node takes it when it is there.

    The service lives as long as the node: a load may outlast the lifecycle states around it.

    Args:
        node: Owner.
    """

    def __init__(self, node: DepthNode) -> None:
        self._node = node
        self._weights: dict[str, str] = {}  # paths that were given, by model
        self._loading = ''  # the model, until it is in use or refused
        self._background = Background(node, 'model loader')
        # Reentrant: the executor goes on with everything else, and a second call is answered.
        self._service = node.create_service(
            SetModel, '~/set_model', self.set_model, callback_group=ReentrantCallbackGroup()
        )

    @property
    def running(self) -> bool:
        """Whether a thread loads; nothing but the end of the process can stop it."""
        return self._background.running

    async def set_model(self, request: Any, response: Any) -> Any:
        """Answered when the other network works, or when it is certain that it will not."""
        try:
            response.message = await self._switch(self._wanted(request))
            response.success = True
        except Exception as error:  # whatever it is, the present one stays
            response.message = str(error) or type(error).__name__
            self._node.get_logger().error(f'set_model: {response.message}')
        response.status = self._node.status()
        return response

    def _wanted(self, request: Any) -> dict[str, str]:
        """The parameters that the request changes."""
        present = self._node.config
        names = ('model', 'preset', 'runtime')
        given = {name: getattr(request, name) for name in names if getattr(request, name)}
        if given.get('model', present.model) != present.model:
            self._weights[present.model] = present.weights
            given['weights'] = self._weights.get(given['model'], '')
        return given

    async def _switch(self, wanted: dict[str, str]) -> str:
        """What was cut back to make it fit into memory; empty when nothing was."""
        node, present = self._node, self._node.estimator
        if present is None:
            raise ValueError('the node is not configured: set the parameter model, and configure')
        if self._loading:
            raise ValueError(f'{self._loading} is being loaded: call again when that is done')
        config = node.config.replaced(wanted)
        if config == node.config:
            return present.hint
        estimator = await self._load(config)
        if node.estimator is not present:
            estimator.close()
            raise ValueError(f'the node was cleaned up while {config.model} was being loaded')
        node.use(estimator, node.config.replaced(wanted))  # others may have changed meanwhile
        return estimator.hint

    async def _load(self, config: Config) -> DepthEstimator:
        self._loading = config.model
        try:
            return await self._background.run(lambda: self._node.load(config))
        finally:
            self._loading = ''
