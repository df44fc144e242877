# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What one tunable is: its default, its bounds and what it does."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

Section = TypeVar('Section')


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One tunable, as doors declare it.

    Attributes:
        name: Dotted name, `range.max`.
        default: Its default; its type is the parameter's type.
        help: What it does, with the unit.
        minimum, maximum: Inclusive bounds of a number, or None.
        choices: The only values a string may take; empty for any.
        live: Whether it may change while the node is active.
    """

    name: str
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def checked(self, value: Any) -> Any:
        """The value in the parameter's type.

        Raises:
            ValueError: Wrong type, out of range or not one of the choices.
        """
        kind = type(self.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):  # then it is refused as no float
                value = float(value)
        if kind is tuple and isinstance(value, (list, tuple)):
            value = tuple(value)
        if type(value) is not kind:
            raise ValueError(f'{self.name} takes a {kind.__name__}, not {value!r}')
        if self.choices and value not in self.choices:
            raise ValueError(f'{self.name} is one of {", ".join(self.choices)}, not {value!r}')
        if kind in (int, float) and not self._low() <= value <= self._high():
            raise ValueError(
                f'{self.name} must lie between {self._low():g} and {self._high():g}, not {value!r}'
            )
        return value

    def _low(self) -> float:
        return -math.inf if self.minimum is None else self.minimum

    def _high(self) -> float:
        return math.inf if self.maximum is None else self.maximum


def option(default: Any, text: str, **limits: Any) -> Any:
    """A field of a dataclass that is a tunable; `limits` are those of `Parameter`."""
    return dataclasses.field(default=default, metadata={'help': text, **limits})


def tunables(section: type[Any], prefix: str = '') -> Iterator[Parameter]:
    """Those of a dataclass in its order, sections within it flattened to dotted names."""
    types = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        if dataclasses.is_dataclass(types[field.name]):
            yield from tunables(typing.cast('type[Any]', types[field.name]), f'{field.name}.')
        else:
            yield Parameter(prefix + field.name, field.default, **field.metadata)


def from_values(section: type[Section], values: Mapping[str, Any]) -> Section:
    """A dataclass of tunables with these values and defaults for the rest.

    Raises:
        ValueError: An unknown name, a value that its tunable does not take, or contradictions.
    """
    known = {parameter.name: parameter for parameter in tunables(section)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(
            f'no such option: {", ".join(unknown)}; there is {", ".join(known) or "none"}'
        )
    return section(**{name: known[name].checked(value) for name, value in values.items()})
