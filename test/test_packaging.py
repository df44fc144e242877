# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""package.xml, setup.py and what they install agree with each other and with the code."""

from __future__ import annotations

import ast
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import depth_estimation_ros

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'depth_estimation_ros'

# What is imported, and the rosdep key that brings it; the keys are in rosdistro's python.yaml.
KEYS = {
    'apsw': 'python3-rosbags-pip',
    'backports': 'python3-rosbags-pip',
    'cv2': 'python3-opencv',
    'httpx2': 'python3-timm-pip',
    'huggingface_hub': 'python3-timm-pip',
    'lz4': 'python3-rosbags-pip',
    'numpy': 'python3-numpy',
    'rosbags': 'python3-rosbags-pip',
    'safetensors': 'python3-timm-pip',
    'timm': 'python3-timm-pip',
    'torch': 'python3-pytorch-pip',
    'torchvision': 'python3-pytorch-pip',
    'tqdm': 'python3-timm-pip',
    'yaml': 'python3-yaml',
}
REQUIREMENTS = {
    'apsw': 'rosbags',
    'backports': 'rosbags',
    'cv2': 'opencv-python',
    'huggingface_hub': 'huggingface-hub',
    'lz4': 'rosbags',
    'torchvision': 'timm',
    'yaml': 'PyYAML',
}
STANDARD = sys.stdlib_module_names | {'compression'}  # which came with Python 3.14
NOT_FROM_PIP = {'depth_estimation_interfaces', 'launch', 'launch_ros', 'ament_index_python'}
EXECUTABLES = {'depth_node': 'node', 'camera_publisher': 'camera'}
EXTRAS = {  # no rosdep key brings them, and where alone they may be imported
    'OpenEXR': ('depth_files.py',),
    'PIL': ('benchmarks',),
    'av': ('media',),
    'h5py': ('evaluation',),
    'matplotlib': ('benchmarks', 'demo', 'evaluation'),
    'psutil': ('benchmarks',),
    'ray': ('jobs',),
    'rerun': ('view',),
    'scipy': ('evaluation',),
    'transformers': ('models', 'benchmarks'),
}


def _manifest(path: Path = ROOT / 'package.xml') -> ET.Element:
    return ET.parse(path).getroot()  # noqa: S314


def _setup(*questions: str) -> list[str]:
    """What setup.py answers, one line a question."""
    command = [sys.executable, 'setup.py', '-q', *questions]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()


def _imports(folder: Path) -> dict[str, set[str]]:
    """Other packages that are imported under a folder, and by which files."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for name in (name.partition('.')[0] for name in names):
                if name not in STANDARD and name != PACKAGE.name:
                    found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """What `pip install` would install, from a copy, so that the tree stays clean."""
    copy = tmp_path_factory.mktemp('source') / 'copy'
    keep_out = shutil.ignore_patterns('.*', 'build', '*.egg-info', '__pycache__', '*_output')
    shutil.copytree(ROOT, copy, ignore=keep_out)
    pip = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--no-index']
    subprocess.run(
        [*pip, '-q', '-w', str(copy), str(copy)], check=True, capture_output=True, timeout=120
    )
    with zipfile.ZipFile(next(copy.glob('*.whl'))) as archive:
        yield archive


def test_one_version_and_one_description():
    manifest = _manifest()
    maintainer = manifest.find('maintainer')
    assert _setup(
        '--version', '--description', '--license', '--maintainer', '--maintainer-email'
    ) == [
        depth_estimation_ros.__version__,
        manifest.findtext('description'),
        manifest.findtext('license'),
        maintainer.text,
        maintainer.get('email'),
    ]
    assert manifest.findtext('version') == depth_estimation_ros.__version__


def test_interfaces_have_the_same_version():
    interfaces = _manifest(ROOT / 'depth_estimation_interfaces' / 'package.xml')
    assert interfaces.findtext('version') == depth_estimation_ros.__version__


def test_every_import_is_declared_for_rosdep():
    declared = {element.text for element in _manifest().iter('exec_depend')}
    imported = _imports(PACKAGE) | _imports(ROOT / 'launch')
    missing = {
        name: files
        for name, files in imported.items()
        if name not in EXTRAS and KEYS.get(name, name) not in declared
    }
    assert not missing


def test_extras_stay_where_they_are_installed_for():
    imported = _imports(PACKAGE)
    for name, rooms in EXTRAS.items():
        for file in imported.get(name, ()):
            assert Path(file).parts[1] in rooms, f'{file} imports {name}'


def test_every_import_is_declared_for_pip(wheel):
    name = next(name for name in wheel.namelist() if name.endswith('.dist-info/METADATA'))
    required = wheel.read(name).decode()
    ros = {element.text for element in _manifest().iter('exec_depend')} | NOT_FROM_PIP
    for module in _imports(PACKAGE).keys() - ros - EXTRAS.keys():
        assert f'\nRequires-Dist: {REQUIREMENTS.get(module, module)}' in required, module


def test_wheel_holds_every_file_of_the_package(wheel):
    mine = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob('*')
        if path.is_file() and path.suffix != '.pyc'
    }
    assert mine <= set(wheel.namelist())
    assert any(name.endswith('.safetensors') for name in mine)


def test_wheel_holds_what_ros_looks_for(wheel):
    share = [f'launch/{path.name}' for path in (ROOT / 'launch').glob('*.py')]
    share += [f'config/{path.name}' for path in (ROOT / 'config').iterdir()]
    data = {name.partition('.data/data/')[2] for name in wheel.namelist()}
    wanted = {f'share/depth_estimation_ros/{name}' for name in ['package.xml', *share]}
    wanted.add('share/ament_index/resource_index/packages/depth_estimation_ros')
    wanted |= {f'lib/depth_estimation_ros/{name}' for name in EXECUTABLES}
    assert wanted <= data


def test_what_colcon_installs_is_where_ros2_run_looks(tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns('.*', 'test', '*_output', '*.egg-info')
    )
    steps = ['build', 'install', '--root', str(tmp_path / 'root'), '--prefix', '/install']
    subprocess.run(
        [sys.executable, 'setup.py', '-q', *steps, '--single-version-externally-managed'],
        cwd=copy, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    placed = tmp_path / 'root/install/lib/depth_estimation_ros'
    names = {path.name for path in placed.iterdir()}
    assert names == {*EXECUTABLES, 'depth-estimation'}


@pytest.mark.parametrize(('name', 'command'), EXECUTABLES.items())
def test_what_ros_starts_stays_executable_and_starts_its_command(wheel, tmp_path, name, command):
    entry = next(info for info in wheel.infolist() if info.filename.endswith(f'/{name}'))
    assert (entry.external_attr >> 16) & stat.S_IXUSR
    program, python = tmp_path / 'lib' / 'depth_estimation_ros' / name, tmp_path / 'bin/python3'
    for path, content in ((program, wheel.read(entry)), (python, b'#!/bin/sh\necho "$@"\n')):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        path.chmod(0o755)
    said = subprocess.run([str(program), '--loop'], capture_output=True, text=True, check=True)
    assert said.stdout == f'-m depth_estimation_ros.cli {command} --loop\n'


def test_constraints_pin_every_requirement(wheel):
    name = next(name for name in wheel.namelist() if name.endswith('.dist-info/METADATA'))
    required = re.findall(r'^Requires-Dist: ([\w.-]+)', wheel.read(name).decode(), re.MULTILINE)
    pinned = (ROOT / 'constraints.txt').read_text()
    assert {'numpy', 'torch', 'ros-rclpy', 'pytest'} <= set(required)
    for requirement in required:
        assert f'\n{requirement.lower().replace("_", "-")}==' in pinned
    assert '\ntorch==2.13.0\n' in pinned
