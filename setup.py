# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Packaging for colcon (ament_python) and pip alike."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = 'depth_estimation_ros'
KILTED = ['ros-rclpy[fastrtps]==9.1.2', 'ros-kilted-rclpy==9.1.2', 'ros-kilted-common-interfaces']


def files(folder: str) -> list[str]:
    """The files of a folder; bytecode that Python left there is none of them."""
    return sorted(str(path) for path in Path(folder).iterdir() if path.is_file())


setup(
    name=NAME,
    version='0.1.0',
    description='Monocular depth for robots: camera images in, metric depth, colour, point clouds '
    'and distances out.',
    license='Apache-2.0',
    maintainer='depth_estimation_ros contributors',
    maintainer_email='maintainers@depth-estimation-ros.example',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed', 'models/*.safetensors', 'bag/*.msg']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', files('launch')),
        (f'share/{NAME}/config', files('config')),
        (f'lib/{NAME}', ['resource/depth_node', 'resource/camera_publisher']),
    ],
    entry_points={'console_scripts': [f'depth-estimation = {NAME}.cli:main']},
    zip_safe=False,
    python_requires='>=3.10',
    install_requires=[
        'PyYAML',
        'httpx2>=2',
        'huggingface-hub>=2',
        'numpy>=1.26',
        'opencv-python>=4.8',
        'rosbags>=0.11',
        'safetensors>=0.4',
        'timm>=1.0',
        'torch>=2.1',
        'tqdm',
        'transformers>=5',
    ],
    extras_require={
        # A real ROS 2 on a machine without one (x86-64 Linux), and what builds interfaces on it;
        # the wheels' own dependencies omit some of these.
        'ros': KILTED,
        'interfaces': [
            'catkin_pkg',
            'cmake',
            'ninja',
            'ros-ament-cmake',
            'ros-ament-cmake-include-directories',
            'ros-ament-cmake-ros-core',
            'ros-ament-package',
            'ros-kilted-rosidl-default-generators',
            'ros-rosidl-core-generators',
        ],
        # Faster on a CPU, and without PyTorch's memory.
        'runtimes': ['onnx', 'onnxruntime', 'onnxscript', 'openvino', 'torch>=2.5'],
        'exr': ['OpenEXR'],
        # Many machines.
        'ray': ['ray>=2.52'],
        # Half a gigabyte, and NumPy 2.
        'view': ['rerun-sdk>=0.39'],
        'demo': ['matplotlib'],
        'evaluation': ['h5py', 'matplotlib', 'scipy'],
        'benchmark': ['matplotlib', 'pillow', 'psutil'],
        'video': ['av>=17'],
        'test': [
            *('hypothesis', 'mypy', 'psutil', 'pytest', 'pytest-xdist', 'ruff', 'trimesh'),
            'types-PyYAML',
        ],
    },
)
