"""What becomes of a picture: its pixels stay, everything else goes."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from PIL import Image, ImageCms

from admin_service.documents.media_files import make_media
from admin_service.domain.media import Fault, FileRefused, Made, MediaType, Size
from tests.unit.admin.files import (
    GPS,
    PLACE,
    opened,
    picture,
    png_bomb,
    png_claiming,
    read_back,
    with_place,
)

KINDS = {
    "JPEG": MediaType.JPEG,
    "PNG": MediaType.PNG,
    "WEBP": MediaType.WEBP,
    "AVIF": MediaType.AVIF,
    "GIF": MediaType.GIF,
}


def made_of(content: bytes) -> Made:
    return make_media(opened(content))


def rendition(made: Made, size: Size) -> Image.Image:
    (content,) = (content for each, content in made.renditions if each.name == size.value)
    return read_back(content)


def fault_of(content: bytes) -> Fault:
    with pytest.raises(FileRefused) as refused:
        made_of(content)
    return refused.value.fault


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_becomes_three_sizes_of_webp(kind: str) -> None:
    made = made_of(picture(kind, (3000, 1500)))
    assert made.media_type is KINDS[kind]
    sizes = [(each.name, each.width, each.height, each.media_type) for each, _ in made.renditions]
    assert sizes == [
        ("small", 400, 200, "image/webp"),
        ("medium", 1000, 500, "image/webp"),
        ("large", 2048, 1024, "image/webp"),
    ]
    for each, content in made.renditions:
        assert read_back(content).size == (each.width, each.height)
        assert each.bytes == len(content)
    assert made.stored_bytes == sum(len(content) for _, content in made.renditions)


def test_a_small_picture_is_not_blown_up() -> None:
    made = made_of(picture("PNG", (120, 90)))
    assert {(each.width, each.height) for each, _ in made.renditions} == {(120, 90)}


def test_a_sliver_keeps_a_pixel_of_height() -> None:
    assert rendition(made_of(picture("PNG", (9000, 2))), Size.SMALL).size == (400, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_where_and_by_whom_it_was_taken_is_gone(kind: str) -> None:
    sent = with_place(kind)
    assert PLACE.encode() in sent
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(GPS)  # else this test would prove nothing
    for _, content in made_of(sent).renditions:
        assert PLACE.encode() not in content
        assert not {b"EXIF", b"XMP ", b"ICCP"} & {content[at : at + 4] for at in range(len(content) - 4)}
        assert not read_back(content).getexif()


@pytest.mark.parametrize(
    "orientation, size, red_at",
    [
        (1, (400, 300), (20, 150)),
        (3, (400, 300), (380, 150)),
        (6, (300, 400), (150, 20)),
        (8, (300, 400), (150, 380)),
    ],
)
def test_a_picture_stands_upright(orientation: int, size: tuple[int, int], red_at: tuple[int, int]) -> None:
    image = rendition(made_of(with_place("JPEG", orientation)), Size.SMALL).convert("RGB")
    assert image.size == size
    red, _, blue = image.getpixel(red_at)  # type: ignore[misc]
    assert red > 200 > 60 > blue


@pytest.mark.parametrize(
    "kind, mode", [("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("JPEG", "L")]
)
def test_each_way_of_writing_pixels_is_read(kind: str, mode: str) -> None:
    content = picture(kind, mode="RGB" if mode == "I;16" else mode)
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.new("I;16", (64, 48), 40_000).save(buffer, "PNG")
        content = buffer.getvalue()
    image = rendition(made_of(content), Size.SMALL)
    assert image.mode == "RGB"
    if mode == "I;16":
        assert abs(image.getpixel((10, 10))[0] - 156) < 4  # type: ignore[index]


def test_what_one_sees_through_stays_so() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(buffer, "PNG")
    assert rendition(made_of(buffer.getvalue()), Size.LARGE).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_colours_of_another_space_are_brought_to_that_of_the_web() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # What this one calls red is the web's blue.
    swapped = profile.replace(b"rXYZ", b"____").replace(b"bXYZ", b"rXYZ").replace(b"____", b"bXYZ")
    assert swapped != profile
    for sent, is_red in ((profile, True), (swapped, False), (b"no profile at all", True)):
        image = rendition(made_of(picture("JPEG", icc_profile=sent)), Size.SMALL).convert("RGB")
        red, _, blue = image.getpixel((20, 150))  # type: ignore[misc]
        assert (red > 200 > 60 > blue) is is_red


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
    image = rendition(made_of(buffer.getvalue()), Size.SMALL)
    assert getattr(image, "n_frames", 1) == 1
    assert image.convert("RGB").getpixel((5, 5))[0] > 200  # type: ignore[index]


@pytest.mark.parametrize("width, height", [(60_000, 60_000), (40_000, 10), (10, 2**31 - 1)])
def test_a_picture_that_claims_too_many_pixels_is_refused_undecoded(width: int, height: int) -> None:
    assert fault_of(png_claiming(width, height)) is Fault.PIXELS


def test_a_pixel_bomb_costs_no_memory() -> None:
    bomb = png_bomb(20_000)
    assert len(bomb) < 100_000  # of 400 million pixels
    tracemalloc.start()
    assert fault_of(bomb) is Fault.PIXELS
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_picture_that_was_cut_off_is_refused(kind: str, part: float) -> None:
    whole = Image.effect_noise((300, 200), 90).convert("RGB")
    buffer = io.BytesIO()
    whole.save(buffer, kind)
    content = buffer.getvalue()
    assert fault_of(content[: int(len(content) * part)]) in (Fault.UNREADABLE, Fault.TYPE)


def test_a_header_with_nonsense_behind_it_is_refused() -> None:
    for kind in KINDS:
        fault = fault_of(picture(kind)[:24] + b"\xff\x00nonsense" * 400)
        assert fault in (Fault.UNREADABLE, Fault.TYPE, Fault.PIXELS)
