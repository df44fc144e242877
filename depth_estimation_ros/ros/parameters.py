# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The configuration as ROS parameters; run as a module, it prints config/depth.yaml."""

from __future__ import annotations

import difflib
import json
import sys
import textwrap
from collections.abc import Callable, Sequence

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from depth_estimation_ros.config import Config, parameters
from depth_estimation_ros.tunable import Parameter

_LARGEST_INTEGER = 2**31 - 1


def declare(node: Node) -> Config:
    """Declare every tunable on the node, and read what was given at start.

    Raises:
        ValueError: A given value is of the wrong type, out of range or contradicts another.
    """
    for parameter in parameters():
        default = list(parameter.default) if parameter.default == ('',) else parameter.default
        try:
            node.declare_parameter(parameter.name, default, _descriptor(parameter))
        except ParameterException as error:
            raise ValueError(f'parameter {parameter.name}: {error}') from error
    _warn_of_unknown(node)
    return Config.from_values(
        {parameter.name: node.get_parameter(parameter.name).value for parameter in parameters()}
    )


def _warn_of_unknown(node: Node) -> None:
    """Say what was given at start and has no effect, which rclpy is silent about.

    It may be meant for others where a file is shared, so it is not refused.
    """
    known = [parameter.name for parameter in parameters()]
    for name in getattr(node, '_parameter_overrides', ()):  # rclpy tells it nowhere else
        if node.has_parameter(name) or name.startswith('qos_overrides.'):
            continue
        meant = difflib.get_close_matches(name, known, 1)
        cure = f'did you mean {meant[0]}?' if meant else 'config/depth.yaml lists all'
        node.get_logger().warning(f'there is no parameter {name}, it has no effect: {cure}')


def on_change(
    current: Callable[[], Config], frozen: Callable[[], bool], apply: Callable[[Config], None]
) -> Callable[[Sequence[RosParameter]], SetParametersResult]:
    """What the node answers to changes of its parameters.

    Args:
        current: The configuration in force.
        frozen: Whether only live parameters may change.
        apply: Takes the new configuration; raises ValueError when it cannot.
    """
    known = {parameter.name: parameter for parameter in parameters()}

    def changed(given: Sequence[RosParameter]) -> SetParametersResult:
        ours = {one.name: one.value for one in given if one.name in known}
        held = [name for name in ours if not known[name].live]
        try:
            config = current().replaced(ours)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if held and frozen() and config != current():
            return SetParametersResult(
                successful=False,
                reason=f'{", ".join(held)} takes effect when the node is configured: deactivate '
                'and clean up the node first, or start it with the new value'
                + (', or call ~/set_model' if set(held) <= {'model', 'preset', 'runtime'} else ''),
            )
        try:
            apply(config)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    return changed


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=parameter.help)
    if parameter.choices:
        descriptor.additional_constraints = f'one of {", ".join(parameter.choices)}'
    if isinstance(parameter.default, float):
        # A user who types 5 means 5.0; rclpy would refuse it.
        descriptor.dynamic_typing = True
        descriptor.floating_point_range = (
            [FloatingPointRange(from_value=parameter.minimum or 0.0, to_value=parameter.maximum)]
            if parameter.maximum is not None
            else []
        )
    elif isinstance(parameter.default, int) and not isinstance(parameter.default, bool):
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(parameter.minimum or 0),
                to_value=int(parameter.maximum or _LARGEST_INTEGER),
                step=1,
            )
        ]
    return descriptor


def yaml_file() -> str:
    """The parameter file with every tunable, its default and what it does."""
    lines = ['# Every parameter of depth_node with its default.', '/**:', '  ros__parameters:']
    section = ''
    for parameter in parameters():
        *above, name = parameter.name.split('.')
        if above and above[0] != section:
            section = above[0]
            lines += ['', f'    {section}:']
        indent = '      ' if above else '    '
        if not above:
            lines.append('')
        lines += textwrap.wrap(
            parameter.help, 92, initial_indent=f'{indent}# ', subsequent_indent=f'{indent}# '
        )
        default = list(parameter.default) if parameter.default == ('',) else parameter.default
        lines.append(f'{indent}{name}: {json.dumps(default)}')
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    sys.stdout.write(yaml_file())
