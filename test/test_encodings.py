# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every encoding as a real sensor_msgs/Image made of a known picture."""

import array

import cv2
import numpy as np
import pytest

from depth_estimation_ros import encodings
from depth_estimation_ros.messages import decode_image

sensor_msgs = pytest.importorskip('sensor_msgs.msg', reason='ROS messages are not installed')

H, W = 12, 16
# BT.601, limited range, to Y, U, V: the inverse of what decoding must do, written independently.
RGB_TO_YUV = (
    np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
    / 255.0
)
BAYER = {'rggb': 'RGGB', 'bggr': 'BGGR', 'gbrg': 'GBRG', 'grbg': 'GRBG'}


def blocks():
    """Distinct colours, each 2x2 pixels, so that subsampled chroma loses nothing."""
    colours = np.random.default_rng(3).integers(20, 236, (H // 2, W // 2, 3), dtype=np.uint8)
    return colours.repeat(2, axis=0).repeat(2, axis=1)


def ramp():
    """A smooth picture with channels far apart, which demosaicing restores."""
    v, u = np.mgrid[:H, :W]
    return np.stack([190 + u, 100 + v + u, 20 + 2 * v], axis=-1).astype(np.uint8)


def yuv(rgb):
    return (rgb @ RGB_TO_YUV.T + (16, 128, 128)).round().astype(np.uint8)


def mosaic(rgb, pattern):
    cells = np.array(['RGB'.index(colour) for colour in BAYER[pattern]]).reshape(2, 2)
    channel = np.tile(cells, (H // 2, W // 2))
    return np.take_along_axis(rgb, channel[..., None], axis=2)


def interleaved(rgb, first):
    """4:2:2: two pixels share U and V; luminance first (YUYV) or chroma first (UYVY)."""
    luminance, chroma = yuv(rgb)[..., :1], yuv(rgb)[:, ::2, 1:].reshape(H, W, 1)
    pair = (luminance, chroma) if first == 'y' else (chroma, luminance)
    return np.concatenate(pair, axis=2)


def wide(samples, byteorder):
    """16-bit samples whose high byte is given, with noise in the low one."""
    noise = np.random.default_rng(4).integers(0, 256, samples.shape)
    return (samples.astype(np.uint16) * 256 + noise).astype(f'{byteorder}u2')


def message(rows, encoding, padding=0, bigendian=False):
    """An Image of packed rows [H, W, ...], each followed by padding bytes."""
    rows = np.ascontiguousarray(rows).view(np.uint8).reshape(H, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return sensor_msgs.Image(
        height=H,
        width=W,
        encoding=encoding,
        step=padded.shape[1],
        is_bigendian=int(bigendian),
        data=array.array('B', padded.tobytes()),
    )


def check(msg, expected, tolerance):
    rgb = decode_image(msg)
    assert (rgb.shape, rgb.dtype) == ((H, W, 3), np.uint8)
    difference = np.abs(rgb.astype(int) - expected)
    assert difference.max() <= tolerance


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize(
    ('encoding', 'channels'),
    [('rgb8', 'RGB'), ('bgr8', 'BGR'), ('rgba8', 'RGBA'), ('bgra8', 'BGRA')],
)
def test_colours(encoding, channels, padding):
    rgba = np.dstack([blocks(), np.full((H, W), 9, np.uint8)])
    pixels = rgba[..., ['RGBA'.index(channel) for channel in channels]]
    check(message(pixels, encoding, padding), blocks(), 0)


@pytest.mark.parametrize('padding', [0, 5])
def test_grey(padding):
    grey = blocks()[..., :1]
    check(message(grey, 'mono8', padding), grey.repeat(3, axis=2), 0)


@pytest.mark.parametrize('byteorder', ['<', '>'])
@pytest.mark.parametrize('padding', [0, 3])
def test_sixteen_bits_keep_the_high_byte(byteorder, padding):
    grey = blocks()[..., :1]
    msg = message(wide(grey, byteorder), 'mono16', padding, byteorder == '>')
    check(msg, grey.repeat(3, axis=2), 0)


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(
    ('encoding', 'first'), [('yuv422', 'u'), ('uyvy', 'u'), ('yuv422_yuy2', 'y'), ('yuyv', 'y')]
)
def test_interleaved_chroma(encoding, first, padding):
    check(message(interleaved(blocks(), first), encoding, padding), blocks(), 3)


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('pattern', list(BAYER))
def test_bayer(pattern, padding):
    interior = ramp().astype(int)
    msg = message(mosaic(ramp(), pattern), f'bayer_{pattern}8', padding)
    rgb = decode_image(msg)
    assert np.abs(rgb - interior)[2:-2, 2:-2].max() <= 2


@pytest.mark.parametrize('byteorder', ['<', '>'])
@pytest.mark.parametrize('pattern', list(BAYER))
def test_bayer_of_sixteen_bits(pattern, byteorder):
    samples = mosaic(ramp(), pattern)
    msg = message(wide(samples, byteorder), f'bayer_{pattern}16', 0, byteorder == '>')
    eight = message(samples, f'bayer_{pattern}8')
    np.testing.assert_array_equal(decode_image(msg), decode_image(eight))


def planes(encoding, pitch):
    """Bytes of nv21 (V before U, halved) or nv24 (U before V), rows padded to the pitch."""
    luminance, chroma = yuv(blocks())[..., 0], yuv(blocks())[..., 1:]
    if encoding == 'nv21':
        chroma = chroma[::2, ::2, ::-1]
    rows = [luminance, chroma.reshape(len(chroma), -1)]
    rows = [np.pad(r, ((0, 0), (0, r.shape[1] // W * (pitch - W)))) for r in rows]
    return np.concatenate([r.ravel() for r in rows])


@pytest.mark.parametrize('pitch', [W, W + 4])
@pytest.mark.parametrize(('encoding', 'planes_per_row'), [('nv21', 1.5), ('nv24', 3.0)])
@pytest.mark.parametrize('whole_step', [False, True])
def test_separate_chroma(encoding, planes_per_row, pitch, whole_step):
    data = planes(encoding, pitch)
    step = int(pitch * planes_per_row) if whole_step else pitch
    msg = sensor_msgs.Image(
        height=H, width=W, encoding=encoding, step=step, data=array.array('B', data.tobytes())
    )
    check(msg, blocks(), 3)


def test_every_known_encoding_is_tested_here():
    tested = {'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16', 'nv21', 'nv24'}
    tested |= {'yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'}
    tested |= {f'bayer_{pattern}{bits}' for pattern in BAYER for bits in (8, 16)}
    assert tested == set(encodings.KNOWN)


def test_rgb_shares_the_data_and_keeps_it():
    msg = message(blocks(), 'rgb8', 4)
    rgb = decode_image(msg)
    assert np.shares_memory(rgb, np.frombuffer(msg.data, np.uint8))
    del msg
    np.testing.assert_array_equal(rgb, blocks())


def spoiled(**fields):
    msg = message(blocks(), 'rgb8')
    for name, value in fields.items():
        setattr(msg, name, value)
    return msg


def planar(encoding, **fields):
    data = array.array('B', planes(encoding, W).tobytes())
    return spoiled(**{'encoding': encoding, 'step': W, 'data': data, **fields})


@pytest.mark.parametrize(
    ('msg', 'words'),
    [
        (spoiled(width=0), 'zero size .0x12.*driver'),
        (spoiled(height=0), 'zero size .16x0.*driver'),
        (spoiled(step=47), 'step=47 is too small.*16 pixels of rgb8 take 48'),
        (spoiled(step=0), 'step=0 is too small'),
        (spoiled(data=array.array('B', bytes(575))), '575 bytes.*step=48.*height=12 is 576'),
        (spoiled(data=array.array('B')), '0 bytes, but step=48'),
        (spoiled(encoding='rgb9'), "'rgb9': known are rgb8, bgr8, .*nv24; cv_bridge"),
        (spoiled(encoding=''), "unknown encoding ''"),
        (spoiled(encoding='yuyv', width=15, step=48), '15 pixels wide.*must be even'),
        (planar('nv21', height=11), '16x11: width and height must be even'),
        (planar('nv21', step=W + 1), 'data has 288 bytes and step=17.*take 288 bytes'),
        (planar('nv24', height=H + 1), 'data has 576 bytes.*take 624 bytes'),
        (planar('nv24', step=W // 2, height=2 * H), 'step=8, but 16x24'),
    ],
)
def test_refuses_naming_value_and_cure(msg, words):
    with pytest.raises(ValueError, match=words):
        decode_image(msg)


def encoded(suffix, picture, *options):
    return cv2.imencode(suffix, picture, options)[1].tobytes()


def assert_decodes(data, rgb):
    np.testing.assert_array_equal(encodings.decode_compressed(data), rgb)


def test_jpeg_and_png():
    rgb = cv2.resize(blocks(), (160, 120), interpolation=cv2.INTER_CUBIC)
    bgr = rgb[..., ::-1]
    jpeg = encodings.decode_compressed(encoded('.jpg', bgr, cv2.IMWRITE_JPEG_QUALITY, 98))
    assert np.abs(jpeg.astype(int) - rgb).mean() < 3.0
    assert_decodes(encoded('.png', bgr), rgb)


def test_png_with_alpha_grey_and_sixteen_bits():
    rgb, bgr = blocks(), blocks()[..., ::-1]
    assert_decodes(encoded('.png', np.dstack([bgr, np.full((H, W), 3, np.uint8)])), rgb)
    assert_decodes(encoded('.png', wide(rgb[..., 0], '=')), rgb[..., :1].repeat(3, axis=2))
    assert_decodes(encoded('.png', wide(bgr, '=')), rgb)


def with_thumbnail(jpeg):
    """The same JPEG with a whole small one in an APP1 segment, as cameras write it."""
    thumbnail = encoded('.jpg', blocks()[:8, :8])
    length = (len(thumbnail) + 2).to_bytes(2, 'big')
    return jpeg[:2] + b'\xff\xe1' + length + thumbnail + jpeg[2:]


def test_jpeg_with_thumbnail_and_padding_is_whole():
    jpeg = encoded('.jpg', blocks())
    whole = encodings.decode_compressed(jpeg)
    for variant in (with_thumbnail(jpeg), jpeg + bytes(100), jpeg[:2] + b'\xff' + jpeg[2:]):
        assert_decodes(variant, whole)


@pytest.mark.parametrize('kept', [0.3, 0.9, 0.999])
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_refuses_a_truncated_picture(suffix, kept):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encoded(suffix, noise)
    data = with_thumbnail(data) if suffix == '.jpg' else data
    cut = int(len(data) * kept)
    with pytest.raises(ValueError, match=f'truncated after {cut} bytes'):
        encodings.decode_compressed(data[:cut])


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        (b'', 'of 0 bytes is neither JPEG nor PNG.*image_transport'),
        (b'GIF89a' + bytes(50), 'neither JPEG nor PNG'),
        (b'\xff\xd8', 'truncated after 2 bytes'),
        (b'\xff\xd8\xff\xda\xff\xd9', 'damaged'),
    ],
)
def test_refuses_what_is_no_picture(data, words):
    with pytest.raises(ValueError, match=words):
        encodings.decode_compressed(data)
