# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Videos and image sequences in and out: every frame at its time, and bad ones."""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from film import frames, number, numbered, shoot, sound

from depth_estimation_ros.media.base import Clip
from depth_estimation_ros.media.clock import Clock
from depth_estimation_ros.media.formats import FORMATS
from depth_estimation_ros.media.sequence import SequenceReader
from depth_estimation_ros.media.video_reader import VideoReader
from depth_estimation_ros.media.video_writer import new_video
from depth_estimation_ros.media.whole import whole_folder

UNEVEN = [0, 20, 60, 93, 193, 213, 253, 286, 386, 406]  # ms
ALL = Clip()


def between(start, end, stride=1):
    return Clip(Fraction(start), Fraction(end), stride)


def read(path, clip=ALL):
    """Every picture, and the reader."""
    with contextlib.closing(VideoReader(path, clip)) as reader:
        return list(reader), reader


def copy(source, target, clip=ALL, overwrite=False):
    """A video as the other, its pictures and its sound; what is remarked on."""
    with contextlib.closing(VideoReader(source, clip)) as reader:
        size = reader.width, reader.height
        with new_video(target, overwrite, size, reader.time_base, reader.rate) as video:
            video.copy_audio(source, reader.origin, clip)
            for picture in reader:
                video.write(picture.image, picture.time - clip.start)
        return video.remarks


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith('.')]


@pytest.mark.parametrize('ending', ['.mp4', '.mov', '.mkv', '.webm'])
def test_times_that_are_not_even_and_sound_are_kept(tmp_path, ending):
    codec = 'libopus' if ending == '.webm' else 'aac'
    source = shoot(tmp_path / f'in{ending}', numbered(10), UNEVEN, sound=codec)
    assert copy(source, tmp_path / f'out{ending}') == []
    pictures, times = frames(tmp_path / f'out{ending}')
    np.testing.assert_allclose(times, np.array(UNEVEN) / 1000, atol=6e-4)
    assert list(map(number, pictures)) == list(range(10))
    (kept, heard), (given, wanted) = (
        zip(*sound(path), strict=True) for path in (tmp_path / f'out{ending}', source)
    )
    assert kept == given
    np.testing.assert_allclose(heard, wanted, atol=1.1e-3)


@pytest.mark.parametrize('ending', FORMATS)
def test_the_same_pictures_make_the_same_bytes(tmp_path, ending):
    source = shoot(tmp_path / 'in.mkv', numbered(12, 321, 243), codec='ffv1', sound='flac')
    digests = set()
    for _ in range(3):
        copy(source, tmp_path / f'out{ending}', overwrite=True)
        digests.add(hashlib.sha256((tmp_path / f'out{ending}').read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize('ending', FORMATS)
def test_odd_sizes_and_colours_survive(tmp_path, ending):
    """A column and a row more where the format wants even ones; colours as they were."""
    pictures = numbered(4, 65, 49)
    pictures[:, 24:, :32] = (30, 180, 90)
    source = shoot(tmp_path / 'in.mkv', pictures, codec='ffv1', pixels='bgr0')
    copy(source, tmp_path / f'out{ending}')
    written, _ = frames(tmp_path / f'out{ending}')
    assert written[0].shape == ((49, 65, 3) if ending == '.gif' else (50, 66, 3))
    np.testing.assert_allclose(written[1][4, 4], (255, 0, 0), atol=12)
    np.testing.assert_allclose(written[1][40, 16], (30, 180, 90), atol=12)
    np.testing.assert_allclose(written[1][-1, -1], pictures[1, -1, -1], atol=12)


@pytest.mark.parametrize('degrees', [0, 90, 180, 270])
def test_a_turned_camera_sees_upright(tmp_path, degrees):
    """Players turn the picture against the clock; so it was stored turned with it."""
    upright = numbered(2)
    stored = np.rot90(upright, -degrees // 90, axes=(1, 2)).copy()
    pictures, reader = read(shoot(tmp_path / 'in.mp4', stored, rotation=degrees))
    assert (reader.width, reader.height) == (64, 48)
    assert pictures[0].image.flags.c_contiguous
    np.testing.assert_allclose(pictures[0].image[2:6, 2:6], [[(255, 0, 0)] * 4] * 4, atol=12)
    np.testing.assert_allclose(pictures[0].image[-6:, -6:], 8, atol=6)


@pytest.mark.parametrize(
    ('aspect', 'size'), [(Fraction(4, 3), (85, 48)), (Fraction(1, 2), (64, 96))]
)
def test_pixels_are_made_square_and_that_is_said(tmp_path, aspect, size):
    _, reader = read(shoot(tmp_path / 'in.mkv', numbered(2), aspect=aspect))
    assert (reader.width, reader.height) == size
    assert reader.remarks == [f'pixels are not square: 64x48 becomes {size[0]}x{size[1]}']


@pytest.mark.parametrize(
    ('name', 'codec', 'pixels'),
    [
        ('in.mp4', 'libx264', 'yuv420p10le'),
        ('in.mov', 'prores_ks', 'yuv444p10le'),
        ('in.mov', 'png', 'rgba'),
        ('in.mkv', 'ffv1', 'gray'),
    ],
)
def test_more_bits_alpha_and_grey(tmp_path, name, codec, pixels):
    pictures, _ = read(shoot(tmp_path / name, numbered(3), codec=codec, pixels=pixels))
    assert pictures[0].image.dtype == np.uint8
    assert [number(picture.image) for picture in pictures] == [0, 1, 2]


# The last has neither an index nor times.
@pytest.mark.parametrize('ending', ['.mp4', '.mkv', '.avi', '.webm', '.gif', '.h264'])
def test_a_part_is_the_same_pictures_at_the_same_times(tmp_path, ending):
    """Whether the format can be sought in or not."""
    source = shoot(tmp_path / f'in{ending}', numbered(28))
    whole, _ = read(source)
    part, reader = read(source, between('0.45', '0.9', 4))
    wanted = [picture for picture in whole if 0.45 <= picture.time < 0.9][::4]
    assert [picture.time for picture in part] == [picture.time for picture in wanted]
    assert len(part) in (3, 4)
    for ours, theirs in zip(part, wanted, strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)
    assert reader.loss == []


def test_the_sound_of_a_part_begins_with_it(tmp_path):
    source = shoot(tmp_path / 'in.mp4', numbered(28), sound='aac')
    copy(source, tmp_path / 'out.mkv', between('0.4', '0.7'))
    given = [data for data, time in sound(source) if 0.4 <= time < 0.7]
    kept = sound(tmp_path / 'out.mkv')
    assert [data for data, _ in kept] == given
    assert 0.0 <= kept[0][1] < 0.03
    _, times = frames(tmp_path / 'out.mkv')
    assert times[0] == pytest.approx(0.0, abs=2e-3)


def test_sound_that_does_not_fit_is_said_with_what_takes_it(tmp_path):
    source = shoot(tmp_path / 'in.mp4', numbered(3), sound='aac')
    (remark,) = copy(source, tmp_path / 'out.webm')
    assert remark == ('the sound (aac) does not fit into webm and was left out: mkv takes any')
    assert sound(tmp_path / 'out.webm') == []


def test_a_gif_has_all_colours_and_no_more_frames_than_players_show(tmp_path):
    ramp = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None].repeat(40, 0), 20)
    times = [10 * i for i in range(6)]
    source = shoot(tmp_path / 'in.mkv', np.stack([ramp] * 6), times, 'ffv1', 'bgr0')
    (remark,) = copy(source, tmp_path / 'out.gif')
    assert 'gif takes 50 frames a second: 3 that came closer together were left out' in remark
    pictures, shown = frames(tmp_path / 'out.gif')
    np.testing.assert_allclose(pictures[0].astype(int), ramp, atol=1)
    assert shown == pytest.approx([0.0, 0.02, 0.04])


def test_frames_that_change_their_size_are_scaled_to_the_first_and_that_is_said(tmp_path):
    streams = [shoot(tmp_path / f'{w}.h264', numbered(4, w, 48)) for w in (64, 96)]
    (tmp_path / 'in.h264').write_bytes(b''.join(stream.read_bytes() for stream in streams))
    pictures, reader = read(tmp_path / 'in.h264')
    assert [picture.image.shape for picture in pictures] == [(48, 64, 3)] * 8
    assert [number(picture.image) for picture in pictures] == [0, 1, 2, 3] * 2
    assert reader.remarks == ['frames change their size: all are scaled to 64x48']


def damaged(path, how):
    """A video of 28 frames with its index in front where it can be, cut off or scribbled over."""
    options = {'movflags': 'faststart'} if path.suffix == '.mp4' else {}
    noise = np.random.default_rng(0).integers(0, 255, (28, 48, 64, 3), np.uint8)
    data = bytearray(shoot(path, noise, options=options).read_bytes())
    middle = len(data) // 2
    if how == 'cut off':
        data = data[:middle]
    else:
        data[middle : middle + 3000] = bytes(range(250)) * 12
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('ending', ['.mp4', '.mkv', '.avi', '.webm'])
def test_of_a_video_that_is_cut_off_all_that_is_there_is_read_and_the_loss_is_said(
    tmp_path, ending
):
    pictures, reader = read(damaged(tmp_path / f'in{ending}', 'cut off'))
    assert 5 <= len(pictures) <= 20
    assert re.search(r'it is cut off after 0\.\d s of the 0\.9 s', reader.loss[-1])


def test_damaged_pieces_are_left_out_and_counted(tmp_path):
    pictures, reader = read(damaged(tmp_path / 'in.mp4', 'scribbled over'))
    assert 10 <= len(pictures) < 28
    assert 'pieces that cannot be decoded: ' in reader.loss[0]
    assert pictures[-1].time > 0.8


@pytest.mark.parametrize('ending', ['.mp4', '.mkv'])
def test_two_recordings_one_behind_the_other_are_one(tmp_path, ending):
    """As of dashcams: the clock of the second starts anew."""
    source = shoot(tmp_path / 'in.ts', numbered(28), sound='aac')
    heard = [data for data, _ in sound(source)]
    source.write_bytes(source.read_bytes() * 2)
    assert copy(source, tmp_path / f'out{ending}') == []
    pictures, times = frames(tmp_path / f'out{ending}')
    assert [number(picture) for picture in pictures] == [*range(28)] * 2
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=2e-3)
    kept = [data for data, _ in sound(tmp_path / f'out{ending}')]
    assert len(kept) == 2 * len(heard)
    _, reader = read(source)
    assert reader.remarks == ['its clock is set back at 1.0 s: times go on from there']


def test_damaged_sound_is_left_out_and_counted(tmp_path):
    source = shoot(tmp_path / 'in.ts', numbered(84), sound='aac')
    data = bytearray(source.read_bytes())
    noise = np.random.default_rng(0).integers(0, 255, len(data), np.uint8).tobytes()
    for at in range(188 * 40, len(data), 188):  # packets of a transport stream
        if int.from_bytes(data[at + 1 : at + 3], 'big') == 0x101:  # sound, not its beginning
            data[at + 4 : at + 188] = noise[at + 4 : at + 188]
    source.write_bytes(data)
    remarks = copy(source, tmp_path / 'out.mp4')
    assert 'pieces of sound that are damaged and were left out: ' in ''.join(remarks)
    assert len(frames(tmp_path / 'out.mp4')[0]) == 84
    assert 0 < len(sound(tmp_path / 'out.mp4')) < len(sound(source))


def test_where_frames_are_missing_that_is_said(tmp_path):
    """FFmpeg goes on behind a damaged piece of MKV, and tells nobody."""
    source = shoot(tmp_path / 'in.mkv', numbered(28), [40 * i + 900 * (i > 20) for i in range(28)])
    _, reader = read(source)
    assert reader.remarks == [
        'there is no frame from 0.80 s to 1.74 s: it was not recorded, or is damaged there'
    ]
    torn, reader = read(damaged(tmp_path / 'torn.mkv', 'scribbled over'))
    assert len(torn) < 28
    assert 'there is no frame from' in reader.remarks[0]


@pytest.mark.parametrize(
    ('stamps', 'times', 'said'),
    [
        ([0, 1, 1, 2], [0, 1, 1.001, 2], 'not later than those before, shown a moment after: 1'),
        ([None, 1, None], [0, 1, 2], ''),
        ([5, 6, 0, 1], [5, 6, 7, 8], 'set back at 7.0 s'),
        ([-1, 0, 9], [-1, 0, 9], 'from 0.00 s to 9.00 s'),
        ([0, 8, 20, 30], [0, 8, 20, 30], 'from 8.00 s to 20.00 s, and 2 shorter times'),
    ],
)
def test_a_clock_only_goes_on(stamps, times, said):
    clock = Clock(Fraction(0), Fraction(1, 1000), Fraction(1))
    found = [clock.time(None if stamp is None else 1000 * stamp) for stamp in stamps]
    assert list(map(float, found)) == times
    assert said in ''.join(clock.remarks)
    assert bool(said) == bool(clock.remarks)


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'it is empty'),
        (b'no video at all\n' * 100, 'no video that can be read'),
        (b'\0\0\0\x18ftypisom' + bytes(1000), 'its index, which stands at the end, is missing'),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path, content, reason):
    (tmp_path / 'in.mp4').write_bytes(content)
    with pytest.raises(ValueError, match=rf'in\.mp4 .*{reason}'):
        VideoReader(tmp_path / 'in.mp4', ALL)


def test_a_title_that_is_no_unicode_does_no_harm(tmp_path):
    source = shoot(tmp_path / 'in.avi', numbered(3), title='Stra-e')
    data = source.read_bytes()
    assert b'Stra-e' in data
    source.write_bytes(data.replace(b'Stra-e', b'Stra\xdfe'))  # as older programs write it
    assert len(read(source)[0]) == 3


def test_sound_alone_and_a_video_without_frames(tmp_path):
    with av.open(str(tmp_path / 'in.m4a'), 'w') as container:
        stream = container.add_stream('aac', rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), 's16', 'mono')
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r'in\.m4a holds no video, only audio'):
        VideoReader(tmp_path / 'in.m4a', ALL)
    data = bytearray(shoot(tmp_path / 'in.mp4', numbered(9)).read_bytes())
    start, end = data.index(b'mdat') + 4, data.index(b'moov') - 4
    data[start:end] = bytes(end - start)
    (tmp_path / 'in.mp4').write_bytes(data)
    with pytest.raises(ValueError, match=r'in\.mp4 holds no frame that can be read'):
        VideoReader(tmp_path / 'in.mp4', ALL)
    with pytest.raises(FileNotFoundError, match='none'):
        VideoReader(tmp_path / 'none.mp4', ALL)


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path):
    source = shoot(tmp_path / 'in.mp4', numbered(3))
    (tmp_path / 'out.mp4').write_text('mine')
    with pytest.raises(FileExistsError, match=r'out\.mp4 exists: .* --overwrite'):
        copy(source, tmp_path / 'out.mp4')
    assert (tmp_path / 'out.mp4').read_text() == 'mine'
    copy(source, tmp_path / 'out.mp4', overwrite=True)
    assert len(frames(tmp_path / 'out.mp4')[0]) == 3
    assert hidden(tmp_path) == []


def test_an_error_leaves_nothing_and_what_was_there(tmp_path):
    (tmp_path / 'out.mp4').write_text('mine')

    def interrupted():
        with (
            new_video(tmp_path / 'out.mp4', True, (64, 48), Fraction(1), Fraction(1)) as video,
            whole_folder(tmp_path / 'out', overwrite=False) as folder,
        ):
            video.write(numbered(1)[0], Fraction(0))
            folder.add('a.png', Fraction(0)).write_text('a')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ['out.mp4']
    assert (tmp_path / 'out.mp4').read_text() == 'mine'


FULL = """
import resource, signal, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from depth_estimation_ros.media.video_writer import new_video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
try:
    with new_video(Path(sys.argv[1]), False, (320, 240), Fraction(1, 30), Fraction(30)) as video:
        for index in range(int(sys.argv[2])):
            video.write(np.roll(noise, index, 1), Fraction(index, 30))
except OSError as error:
    print(error)
"""


# Noticed at the end, or while it is written.
@pytest.mark.parametrize(
    ('ending', 'count'),
    [('.mp4', 8), ('.mp4', 60), ('.mkv', 60), ('.webm', 8), ('.avi', 60), ('.gif', 8)],
)
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, ending, count):
    command = [sys.executable, '-c', FULL, str(tmp_path / f'out{ending}'), str(count)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f'out{ending} cannot be written' in said.stdout
    assert 'nothing of it is left: make room there' in said.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sequence(tmp_path):
    """Pictures 8 to 12; 10 is damaged, 11 is of another size."""
    for index, picture in enumerate(numbered(5), 8):
        cv2.imwrite(str(tmp_path / f'frame_{index}.png'), picture[..., ::-1])
    (tmp_path / 'frame_10.png').write_bytes(b'torn')
    cv2.imwrite(str(tmp_path / 'frame_11.png'), np.zeros((5, 5, 3), np.uint8))
    (tmp_path / 'notes.txt').write_text('no picture')
    return tmp_path


@pytest.mark.parametrize('name', ['', 'frame_%d.png'])
def test_a_sequence_in_the_order_of_its_numbers_with_its_faults(sequence, name):
    reader = SequenceReader(sequence / name if name else sequence, ALL, Fraction(10))
    pictures = list(reader)
    assert [number(picture.image) for picture in pictures] == [0, 1, 4]
    assert [picture.time for picture in pictures] == [0, Fraction(1, 10), Fraction(4, 10)]
    assert [picture.name for picture in pictures] == ['frame_8', 'frame_9', 'frame_12']
    assert 'pictures that cannot be read: 1, ' in reader.loss[0]
    assert reader.loss[1] == 'pictures not 64x48 as the first: 1'


def test_a_part_of_a_sequence(sequence):
    reader = SequenceReader(sequence, between('0.1', '0.5', 3), Fraction(10))
    assert [picture.name for picture in reader] == ['frame_9', 'frame_12']
    with pytest.raises(ValueError, match='none of 5 pictures'):
        SequenceReader(sequence, between(9, 10), Fraction(10))
    with pytest.raises(FileNotFoundError, match=r'%d\.jpg'):
        SequenceReader(sequence / '%d.jpg', ALL, Fraction(10))


def test_parts_that_are_none():
    with pytest.raises(ValueError, match='from 3 s to 2 s'):
        between(3, 2)
    with pytest.raises(ValueError, match=r'stride must be at least 1 .*, not 0'):
        Clip(stride=0)
