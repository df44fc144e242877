# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The road on a device answers what the road in main memory answers; without a GPU, on the CPU."""

from __future__ import annotations

import copy
import re
import threading

import numpy as np
import pytest
import torch
from elsewhere import Elsewhere
from torch import nn

from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models import architectures, weights
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.preprocessing import Preprocessing
from depth_estimation_ros.runtimes import cuda_runtime, precision, resampling
from depth_estimation_ros.runtimes.base import OutOfMemoryError
from depth_estimation_ros.runtimes.build import build
from depth_estimation_ros.runtimes.cuda_graph import Recorder
from depth_estimation_ros.runtimes.cuda_runtime import CudaRuntime
from depth_estimation_ros.runtimes.folding import for_inference
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.memory import watched
from depth_estimation_ros.runtimes.precision import Narrowed, formats
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

GPU = torch.cuda.is_available()
DEVICE = torch.device('cuda:0' if GPU else 'cpu')
SPEC = spec('bundled')
needs_gpu = pytest.mark.skipif(not GPU, reason='needs an NVIDIA GPU')


class Scaled(nn.Module):
    """The red channel, by way of numbers of some size and some distance from zero."""

    def __init__(self, size: float, offset: float = 0.0) -> None:
        super().__init__()
        self.size, self.offset = size, offset

    def forward(self, images):
        return (images[:, 0] * self.size + self.offset - self.offset) / self.size + 5.0


@pytest.fixture(scope='module')
def bundled():
    return weights.load(SPEC)


def runtime_of(network, **options) -> CudaRuntime:
    return CudaRuntime(FromPixels(copy.deepcopy(network), SPEC), SPEC, DEVICE, **options)


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def planned(image) -> Preprocessing:
    return Preprocessing.plan(SPEC, image.shape[1], image.shape[0])


def predicted(runtime, images):
    return [np.asarray(one) for one in runtime.predict(images, planned(images[0]), Latency())]


@pytest.mark.parametrize('size', [(640, 480), (333, 251), (256, 192)])
def test_it_answers_what_the_road_in_main_memory_answers(bundled, size):
    images = [noise(*size, seed) for seed in range(2)]
    plan = planned(images[0])
    resized = resampling.resize(torch.from_numpy(np.stack(images)), plan).numpy()
    outputs = TorchRuntime(FromPixels(copy.deepcopy(bundled), SPEC)).run(resized)
    answers = predicted(runtime_of(bundled, dtypes=()), images)
    for answer, output in zip(answers, outputs, strict=True):
        assert answer.dtype == np.float32
        np.testing.assert_allclose(answer, plan.restore(output), rtol=1e-3)


def test_answers_and_the_images_they_were_made_of_outlive_the_next_frame(bundled):
    runtime = runtime_of(bundled)
    image = noise(320, 240)
    (first,) = runtime.predict([image], planned(image), Latency())
    predicted(runtime, [255 - image])
    (again,) = predicted(runtime, [image.copy()])
    np.testing.assert_array_equal(np.asarray(first), again)
    np.testing.assert_array_equal(runtime._uploads.of(image).cpu().numpy(), image)


def test_the_copy_of_a_frame_goes_with_the_frame(bundled):
    runtime = runtime_of(bundled)
    image = noise(320, 240)
    predicted(runtime, [image])
    assert len(runtime._uploads._copies) == 1
    del image
    assert not runtime._uploads._copies


def test_sizes_are_kept_ready_but_not_without_end():
    runtime = runtime_of(Scaled(1.0))
    for width in range(200, 200 + 2 * cuda_runtime._ROADS):
        image = noise(width, 100)
        predicted(runtime, [image])
    assert len(runtime._roads) == cuda_runtime._ROADS
    kept = runtime._roads[1, planned(image)]
    predicted(runtime, [image])
    assert runtime._roads[1, planned(image)] is kept
    runtime.close()
    assert not runtime._roads


def test_an_image_of_another_size_than_planned_is_refused():
    with pytest.raises(ValueError, match='planned for 640x480, not 1x1'):
        runtime_of(Scaled(1.0)).predict([noise(1, 1)], planned(noise(640, 480)), Latency())


def test_the_whole_is_one_stage():
    latency, image = Latency(), noise(320, 240)
    runtime_of(Scaled(1.0)).predict([image], planned(image), latency)
    assert list(latency.percentiles()) == ['network']


def test_a_thread_that_loads_a_model_does_not_change_the_settings_of_one_at_work():
    inside, left = threading.Event(), threading.Event()
    seen = []

    class Noting(Scaled):
        def forward(self, images):
            inside.set()
            left.wait(5.0)
            seen.append((torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32))
            return super().forward(images)

    runtime, image = runtime_of(Noting(1.0), dtypes=()), noise(64, 48)
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    worker = threading.Thread(target=predicted, args=(runtime, [image]))
    with precision.exact():
        worker.start()
        inside.wait(0.3)
    left.set()
    worker.join()
    assert set(seen) == {(True, False)}
    assert (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32) == before


def test_half_precision_is_taken_where_it_keeps_the_answer(bundled):
    said = []
    runtime = runtime_of(bundled, dtypes=(torch.float16, torch.bfloat16), say=said.append)
    assert said == []
    assert {p.dtype for p in runtime._network.parameters()} == {torch.float16}
    assert runtime._network.scale.dtype == torch.float32
    image = noise(320, 240)
    (answer,), (exact,) = (
        predicted(one, [image]) for one in (runtime, runtime_of(bundled, dtypes=()))
    )
    difference = np.abs(answer - exact).max() / exact.mean()
    assert 1e-6 < difference < 1e-2


@pytest.mark.parametrize(
    ('network', 'served', 'refused'),
    [
        (Scaled(1.0), torch.float16, []),
        (Scaled(1e6), torch.bfloat16, ['float16']),  # beyond what fp16 can hold
        (Scaled(1.0, offset=1e3), torch.float32, ['float16', 'bfloat16']),  # beyond their digits
    ],
)
def test_half_precision_that_changes_the_answer_is_refused_with_the_figures(
    network, served, refused
):
    said = []
    runtime = runtime_of(network, dtypes=(torch.float16, torch.bfloat16), say=said.append)
    taken = runtime._network.network
    assert (taken.dtype if isinstance(taken, Narrowed) else torch.float32) == served
    assert [text.split()[5].rstrip(':') for text in said] == refused
    assert all('differs from fp32 by up to' in text for text in said)
    assert all('more than 0.01' in text for text in said)
    (answer,), (exact,) = (
        predicted(one, [noise(256, 192)]) for one in (runtime, runtime_of(network, dtypes=()))
    )
    np.testing.assert_allclose(answer, exact, atol=0.05)


def test_half_precision_that_a_network_cannot_do_is_refused_with_the_reason():
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(256, 256))

        def forward(self, images):
            return images[:, 0].float() @ self.weight

    said = []
    runtime = runtime_of(Mixing(), dtypes=(torch.float16,), say=said.append)
    assert said[0].startswith('bundled is not run in float16: ')
    assert 'dtype' in said[0]
    assert np.isfinite(predicted(runtime, [noise(256, 192)])[0]).any()


def test_a_network_that_does_not_find_its_memory_says_so():
    class Hungry(nn.Module):
        def forward(self, images):
            return images[:, 0].new_empty(10**15)

    runtime = runtime_of(Scaled(1.0))
    predicted(runtime, [noise(64, 48)])
    runtime._network = FromPixels(Hungry(), SPEC).to(DEVICE)
    with pytest.raises(OutOfMemoryError, match='allocate'):
        predicted(runtime, [noise(320, 240)])
    assert not runtime._roads  # what they held may be what was missing


# As PyTorch 2.13 hands on what the CUDA runtime, the driver, cuBLAS and cuDNN say.
ENDED = [
    "CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in the documentation",
    'CUDA driver error: out of memory',
    'CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`',
    'cuDNN error: CUDNN_STATUS_ALLOC_FAILED',
    'cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED',
]


@pytest.mark.parametrize('words', ENDED)
def test_memory_that_ends_for_half_precision_is_no_fault_of_the_format(words):
    class Ending(Scaled):
        def forward(self, images):
            if images.dtype == torch.float16:
                raise RuntimeError(words)
            return super().forward(images)

    said = []
    with pytest.raises(OutOfMemoryError, match=re.escape(words.partition('\n')[0])):
        runtime_of(Ending(1.0), dtypes=(torch.float16, torch.bfloat16), say=said.append)
    assert said == []


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match='must match the size') as raised, watched():
        torch.ones(2) + torch.ones(3)
    assert not isinstance(raised.value, MemoryError)


@pytest.mark.parametrize(
    'name', ['bundled', 'bundled-relative', 'meter-nyu-xxs', 'midas-v21-small']
)
@pytest.mark.parametrize('size', [(333, 251), (1283, 725)])
def test_all_between_the_pixels_and_their_depth_stays_on_the_device(name, size):
    model = spec(name)
    with torch.device('meta'):
        network = for_inference(FromPixels(architectures.build(model), model).to('meta'))
    plan = Preprocessing.plan(model, *size)
    road = cuda_runtime._Road(network, 2, plan, torch.device('meta'))
    with torch.inference_mode():
        road.work()
        with Elsewhere() as elsewhere:
            answer = road.work()
    assert answer.shape == (2, size[1], size[0])
    assert elsewhere.seen == []


def test_a_cpu_has_no_half_precision_worth_having_and_no_memory_of_its_own():
    assert formats(torch.device('cpu')) == ()
    runtime = CudaRuntime(FromPixels(Scaled(1.0), SPEC), SPEC, torch.device('cpu'))
    assert (runtime.name, runtime.device, runtime.memory()) == ('torch', 'cpu', None)


@needs_gpu
def test_a_gpu_is_taken_for_its_name_and_tells_its_memory():
    runtime = build(SPEC, device='cuda:0')
    assert isinstance(runtime, CudaRuntime)
    assert runtime.device == f'cuda:0 {torch.cuda.get_device_name(0)}'
    predicted(runtime, [noise(640, 480)])
    used, reserved, total = runtime.memory()
    assert 0 < used <= reserved < total


@needs_gpu
def test_a_recorded_network_answers_what_it_answers_kernel_by_kernel(bundled):
    said = []
    runtime = runtime_of(bundled, say=said.append)
    images = [noise(640, 480, seed) for seed in range(3)]
    recorded = [predicted(runtime, [image])[0] for image in images]
    predicted(runtime, images)  # another graph in the same memory
    assert runtime._recording
    runtime._recording = False
    runtime._roads.clear()
    for image, answer in zip(images, recorded, strict=True):
        np.testing.assert_allclose(answer, predicted(runtime, [image])[0], rtol=1e-2)
    assert said == []


class Asking(nn.Module):
    """Waits for a number from the device, which a recording cannot."""

    def forward(self, images):
        return images[:, 0] + (1.0 if images.mean().item() > 0.0 else 2.0)


@needs_gpu
def test_what_cannot_be_recorded_runs_and_says_so_once():
    said = []
    runtime = runtime_of(Asking(), say=said.append)
    for size in ((320, 240), (640, 480)):
        (answer,) = predicted(runtime, [np.full((size[1], size[0], 3), 255, np.uint8)])
        np.testing.assert_allclose(answer, (1.0 - 0.485) / 0.229 + 1.0, rtol=2e-3)
    assert len(said) == 1
    assert said[0].startswith('no CUDA graph, so it runs kernel by kernel')
    assert 'previous error' not in said[0]  # but what it was
    assert torch.cuda.current_stream() == torch.cuda.default_stream()


@needs_gpu
def test_after_a_recording_that_failed_others_succeed_and_memory_is_freed(bundled):
    failing, image, said = runtime_of(Asking()), noise(640, 480), []
    predicted(failing, [image])
    failing.close()
    runtime = runtime_of(bundled, say=said.append)
    predicted(runtime, [image])
    assert runtime._recording
    assert said == []
    reserved = torch.cuda.memory_reserved(DEVICE)
    runtime.close()
    assert torch.cuda.memory_reserved(DEVICE) < reserved


@needs_gpu
def test_a_graph_reads_what_lies_in_its_memory_now():
    memory = torch.zeros(4, device=DEVICE)
    again = Recorder(DEVICE).record(lambda: memory * 2)
    memory.fill_(21.0)
    assert again().tolist() == [42.0] * 4


@needs_gpu
def test_graphs_share_their_memory():
    class Roomy(nn.Module):
        def forward(self, images):
            return images.repeat(1, 400, 1, 1).sum(1)

    runtime = runtime_of(Roomy())
    used = []
    for width in (640, 639, 638, 637):
        predicted(runtime, [noise(width, 480)])
        used.append(runtime.memory().reserved)
    assert used[-1] < used[0] + 100


@needs_gpu
def test_memory_of_a_gpu_that_ends_is_told_as_such(bundled):
    runtime = runtime_of(bundled)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.0)
    try:
        with pytest.raises(OutOfMemoryError, match='CUDA out of memory'):
            predicted(runtime, [noise(640, 480)])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert np.isfinite(predicted(runtime, [noise(640, 480)])[0]).all()
    assert runtime._recording
