"""Pictures: decoded, and encoded anew in three sizes. Nothing of the uploaded bytes is ever served."""

from __future__ import annotations

import io
import logging
import threading
from typing import BinaryIO

from PIL import Image, ImageCms, ImageOps

from admin_service.domain.media import MAX_PIXELS, Fault, FileRefused, Made, MediaType, Rendition, Size

log = logging.getLogger(__name__)

_DECODERS = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
    MediaType.AVIF: "AVIF",
    MediaType.GIF: "GIF",
}
WEBP_QUALITY = 82
SIDE_LIMIT = 30_000
"""Pixels. Nothing that is worth showing is longer."""

AT_ONCE = 2
"""How many pictures a process decodes at a time: one of MAX_PIXELS takes up to 400 MB while it is read."""

_decoding = threading.BoundedSemaphore(AT_ONCE)
_SRGB = ImageCms.createProfile("sRGB")
# Our own limit is looked at before a pixel is decoded; Pillow's would warn below it and raise above.
Image.MAX_IMAGE_PIXELS = None


def make_renditions(file: BinaryIO, media_type: MediaType, max_pixels: int = MAX_PIXELS) -> Made:
    """Three sizes as WebP, none larger than the original, upright and in sRGB. Of a moving picture the first
    frame is taken. Raises FileRefused PIXELS, UNREADABLE.
    """
    with _decoding:
        try:
            with _opened(file, media_type, max_pixels) as image:
                large = _upright(image)
                return Made(media_type=media_type, renditions=_encoded(large))
        except FileRefused:
            raise
        # A decoder that is handed nonsense raises nearly anything: OSError, SyntaxError, struct.error.
        except Exception as error:
            log.info("a picture could not be decoded", extra={"fault": type(error).__name__})
            raise FileRefused(Fault.UNREADABLE, f"This is no complete {media_type.name} picture.") from error


def _opened(file: BinaryIO, media_type: MediaType, max_pixels: int) -> Image.Image:
    file.seek(0)
    # Only the decoder that the content asked for: no other gets to see these bytes.
    image = Image.open(file, formats=[_DECODERS[media_type]])
    width, height = image.size
    if width * height > max_pixels or max(width, height) > SIDE_LIMIT:
        image.close()
        raise FileRefused(
            Fault.PIXELS,
            f"{width} x {height} pixels; at most {max_pixels // 1_000_000} million, {SIDE_LIMIT} a side.",
        )
    return image


def _upright(image: Image.Image) -> Image.Image:
    """The picture in its largest size: turned as its EXIF says, in 8 bits, in sRGB."""
    side = Size.LARGE.longest_side
    if image.format == "JPEG":
        # A JPEG can be decoded at a half, a quarter or an eighth, at a fraction of the cost.
        image.draft(image.mode, (side, side))
    image.load()
    profile = image.info.get("icc_profile")
    turned = ImageOps.exif_transpose(image)
    plain = _plain(turned)
    plain.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _in_srgb(plain, profile)


def _plain(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled: RGB, RGBA or CMYK, 8 bits."""
    if image.mode.startswith("I"):
        # Sixteen bits a pixel; a conversion would cut off instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("RGB", "RGBA", "CMYK"):
        return image
    see_through = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if see_through else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that browsers show a picture without a profile in."""
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode=target)
            return converted if converted is not None else image.convert(target)
        except (ImageCms.PyCMSError, OSError, ValueError):
            log.info("a colour profile could not be used")
    return image.convert(target)


def _encoded(large: Image.Image) -> tuple[tuple[Rendition, bytes], ...]:
    found = []
    picture = _bare(large)
    for size in sorted(Size, key=lambda each: each.longest_side, reverse=True):
        picture.thumbnail((size.longest_side, size.longest_side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=WEBP_QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
        content = buffer.getvalue()
        width, height = picture.size
        rendition = Rendition(
            name=size.value, media_type="image/webp", bytes=len(content), width=width, height=height
        )
        found.append((rendition, content))
    return tuple(reversed(found))


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone, without any metadata that came with them."""
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare
