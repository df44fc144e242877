# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The order of the rooms in ARCHITECTURE.md, one home for each framework, and sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'depth_estimation_ros'
MODULES = {path: ast.parse(path.read_text('utf-8')) for path in sorted(PACKAGE.rglob('*.py'))}

# Lowest first: the first column of the table.
TABLE = re.findall(r'^\| (`.*?) \|', (ROOT / 'ARCHITECTURE.md').read_text('utf-8'), re.MULTILINE)
ROOMS = [room for row in TABLE for room in re.findall(r'`(\w+)(?:\.py|/)`', row)]
ROS = {
    'rclpy', 'builtin_interfaces', 'depth_estimation_interfaces', 'diagnostic_msgs',
    'geometry_msgs', 'lifecycle_msgs', 'rcl_interfaces', 'sensor_msgs', 'std_msgs', 'std_srvs',
    'tf2_msgs',
}  # fmt: skip
HOMES = {
    'torch': {'models', 'runtimes', 'training', 'benchmarks'},
    'timm': {'models', 'runtimes', 'training'},
    'transformers': {'models', 'benchmarks'},
    'httpx2': {'models'},
    'huggingface_hub': {'models'},
    **{name: {'runtimes'} for name in ('openvino', 'onnxruntime', 'onnx', 'onnxscript')},
    **{name: {'evaluation'} for name in ('h5py', 'scipy')},
    'matplotlib': {'evaluation', 'demo', 'benchmarks'},
    'ray': {'jobs'},
    'av': {'media'},
    'rerun': {'view'},
    'rosbags': {'bag', 'demo', 'benchmarks'},
    **{name: {'ros', 'demo', 'benchmarks'} for name in ROS},
}
HEAVY = {
    'torch', 'timm', 'transformers', 'openvino', 'onnxruntime', 'cv2', 'numpy', 'yaml', 'rclpy',
    'sensor_msgs', 'rosbags', 'matplotlib', 'h5py', 'scipy', 'ray', 'av', 'rerun',
}  # fmt: skip
MAY_PRINT = {'cli', 'demo', 'benchmarks', 'training'}
PROGRAMS = {'node.py', 'prepare.py'}  # which end their own process, in other rooms


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix('.py')


def allowed(module: Path) -> list[str]:
    """Its own room and those above; none for the package itself."""
    return ROOMS[: ROOMS.index(room(module)) + 1] if room(module) in ROOMS else []


def imports(tree: ast.AST):
    """Dotted names of all that is imported, inside functions too, but not for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f'{"." * node.level}{node.module}.{alias.name}' for alias in node.names)
        yield from imports(node)


def lengths():
    """Every function as (lines, module, name)."""
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.end_lineno - node.lineno + 1, path.name, node.name


def lines(module: Path) -> int:
    return len(module.read_text('utf-8').splitlines())


def test_every_room_has_its_place_in_the_list():
    assert {room(module) for module in MODULES} - {'__init__'} == set(ROOMS)
    assert len(ROOMS) == len(set(ROOMS))


def test_a_room_imports_only_from_rooms_above_it():
    upwards = [
        f'{module.relative_to(ROOT)} imports {name}'
        for module, tree in MODULES.items()
        for name in imports(tree)
        for other in ROOMS
        if f'{name}.'.startswith(f'depth_estimation_ros.{other}.')
        if other not in allowed(module)
    ]
    assert upwards == []


def test_imports_are_absolute():
    relative = [str(m) for m, tree in MODULES.items() for n in imports(tree) if n.startswith('.')]
    assert relative == []


def test_each_framework_has_one_home():
    strays = [
        f'{module.relative_to(ROOT)} imports {name}'
        for module, tree in MODULES.items()
        for name in imports(tree)
        if room(module) not in HOMES.get(name.split('.')[0], {room(module)})
    ]
    assert strays == []


def test_no_module_and_no_function_is_long():
    long = [
        f'{module.relative_to(ROOT)}: {lines(module)} lines'
        for module in MODULES
        if lines(module) > (400 if room(module) == 'models' else 300)
    ]
    long += [f'{module}: {name}: {count} lines' for count, module, name in lengths() if count > 60]
    assert long == []


def test_most_modules_and_functions_are_short():
    modules = sorted(map(lines, MODULES))
    functions = sorted(count for count, _, _ in lengths())
    assert modules[len(modules) // 2] <= 150
    assert functions[len(functions) // 2] <= 10
    assert functions[len(functions) * 9 // 10] <= 30


def test_only_the_doors_print_or_exit():
    calls = [
        f'{module.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}'
        for module, tree in MODULES.items()
        if room(module) not in MAY_PRINT and module.name not in PROGRAMS
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {'print', 'exit', 'sys.exit', 'os._exit'}
    ]
    assert calls == []


def test_every_file_says_its_licence_and_what_it_is():
    header = (
        '# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors\n'
        '# SPDX-License-Identifier: Apache-2.0\n"""'
    )
    assert [m for m in MODULES if not m.read_text('utf-8').startswith(header)] == []


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    answer = subprocess.run(
        [sys.executable, '-c', f'{statement}; import sys; print(*sys.modules)'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.split('.')[0] for name in answer.stdout.split()}


@pytest.mark.parametrize('module', ['depth_estimation_ros', 'depth_estimation_ros.cli'])
def test_the_package_and_its_command_line_pull_in_nothing_heavy(module):
    assert not loaded_by(f'import {module}') & HEAVY


def test_the_core_needs_neither_torch_nor_ros():
    core = ', '.join(f'depth_estimation_ros.{name}' for name in ROOMS[: ROOMS.index('training')])
    found = loaded_by(f'import {core}')
    assert {'numpy', 'cv2'} <= found
    assert not found & {'torch', 'timm', *ROS}
