# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros.config import Config, parameters
from depth_estimation_ros.sections import Range

TEXT = st.text()
TEXT.validate()  # a fresh machine builds its table of Unicode now, not while examples are timed
PARAMETERS = {parameter.name: parameter for parameter in parameters()}


def read(config, name):
    """The value of a dotted name."""
    for part in name.split('.'):
        config = getattr(config, part)
    return config


@st.composite
def values(draw):
    """A parameter, and a value that it may take."""
    parameter = PARAMETERS[draw(st.sampled_from(sorted(PARAMETERS)))]
    low, high = parameter.minimum, parameter.maximum
    if parameter.choices:
        return parameter, draw(st.sampled_from(parameter.choices))
    return parameter, draw(
        {
            bool: st.booleans(),
            int: st.integers(low, high),
            float: st.floats(low, high, allow_nan=False),
            str: TEXT,
            tuple: st.lists(st.text('az_', min_size=1), min_size=1, unique=True),
        }[type(parameter.default)]
    )


def test_every_parameter_is_described_and_its_default_is_allowed():
    for parameter in PARAMETERS.values():
        assert len(parameter.help) > 10, parameter.name
        assert parameter.checked(parameter.default) == parameter.default
        assert read(Config(), parameter.name) == parameter.default


def test_every_field_is_a_parameter():
    def names(section, prefix=''):
        for field in dataclasses.fields(section):
            value = getattr(section, field.name)
            nested = dataclasses.is_dataclass(value)
            yield from names(value, f'{prefix}{field.name}.') if nested else [prefix + field.name]

    assert list(names(Config())) == list(PARAMETERS)
    assert {'model', 'cameras', 'range.max', 'colorize.colormap', 'depth.encoding'} <= set(
        PARAMETERS
    )


@given(values())
def test_an_allowed_value_arrives_and_nothing_else_changes(chosen):
    parameter, value = chosen
    assert parameter.checked(value) == (tuple(value) if isinstance(value, list) else value)
    try:
        config = Config.from_values({parameter.name: value})
    except ValueError as error:
        assert parameter.name.split('.')[-1] in ('min', 'max'), error  # noqa: PT017
        return
    for name, other in PARAMETERS.items():
        expected = other.default if name != parameter.name else parameter.checked(value)
        assert read(config, name) == expected


@given(values())
def test_a_value_beyond_the_bounds_is_refused_by_name(chosen):
    parameter, _ = chosen
    for value in (
        None if parameter.minimum is None else parameter.minimum - 1,
        None if parameter.maximum is None else parameter.maximum + 1,
        'no such choice' if parameter.choices else None,
    ):
        if value is not None:
            with pytest.raises(ValueError, match=parameter.name):
                Config.from_values({parameter.name: type(parameter.default)(value)})


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'range.max': 'far'}, "range.max takes a float, not 'far'"),
        ({'range.max': True}, 'range.max takes a float, not True'),
        ({'range.max': float('nan')}, r'range.max must lie between 0.001 and 1000, not nan'),
        ({'autostart': 1}, 'autostart takes a bool, not 1'),
        ({'distance.window': 5.0}, 'distance.window takes a int, not 5.0'),
        ({'distance.window': 0}, 'distance.window must lie between 1 and 99, not 0'),
        ({'colorize.colormap': 'jet'}, "colormap is one of turbo, inferno, gray, not 'jet'"),
        ({'range.maximum': 1.0, 'modle': 'x'}, 'no such parameter: modle, range.maximum'),
        ({'range.min': 5.0, 'range.max': 5.0}, 'range.min=5 must be below range.max=5'),
        ({'colorize.min': 9.0}, 'colorize.min=9 must be below colorize.max=8'),
        ({'cameras': []}, 'at least one'),
        ({'cameras': ['a', 'a']}, 'distinct'),
        ({'cameras': ['a', '']}, 'each needs a name'),
        ({'cameras': ['a', '~b']}, "'~b' cannot be the namespace of topics"),
        ({'cameras': ['/a']}, 'front/left'),
        ({'cameras': ['back yard']}, 'letters, digits'),
    ],
)
def test_refuses_naming_parameter_and_value(given, words):
    with pytest.raises(ValueError, match=words):
        Config.from_values(given)


def test_a_whole_number_serves_as_a_float():
    config = Config.from_values({'range.max': 12})
    assert config.range == Range(max=12.0)
    assert type(config.range.max) is float


def test_replacing_keeps_what_was_replaced_before():
    config = Config.from_values({'range.max': 12.0, 'model': 'bundled-relative'})
    config = config.replaced({'range.min': 0.5, 'cameras': ['front', 'rear']})
    assert config.range == Range(0.5, 12.0)
    assert (config.model, config.cameras) == ('bundled-relative', ('front', 'rear'))


def test_what_may_change_while_running_says_so():
    live = {name for name, parameter in PARAMETERS.items() if parameter.live}
    assert {'range.min', 'range.max', 'depth.encoding', 'colorize.jpeg_quality'} <= live
    assert not live & {'model', 'weights', 'device', 'cameras', 'image_transport'}
