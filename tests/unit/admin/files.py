"""Files as people, cameras and attackers send them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any, BinaryIO

import pikepdf
from PIL import Image

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F
PLACE = "48 deg 51' secret"


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: Any
) -> bytes:
    """Left half red, right half blue, so that a turn can be seen."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def with_place(kind: str = "JPEG", orientation: int = 1, size: tuple[int, int] = (640, 480)) -> bytes:
    """As a phone takes it: who made it, where, and how it was held."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, PLACE
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (48.0, 51.0, 29.6)
    return picture(kind, size, exif=exif.tobytes())


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that say they are that large: correct up to the pixels, of which there are too few."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def png_bomb(side: int) -> bytes:
    """A complete picture of side x side in one colour: small as a file, large in memory."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((side // 8 + 1) * side), 9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def archive() -> bytes:
    """A small ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        # of a fixed date: the tests' names have these bytes in them, and must be the same in every process
        made.writestr(zipfile.ZipInfo("evil.class"), b"\xca\xfe\xba\xbe")
    return buffer.getvalue()


def pdf(**members: Any) -> bytes:
    """A document of one page; `members` go into its root."""
    with pikepdf.new() as document:
        document.add_blank_page()
        document.docinfo["/Author"] = PLACE
        for name, value in members.items():
            document.Root[f"/{name}"] = value
        buffer = io.BytesIO()
        document.save(buffer)
        return buffer.getvalue()


def pdf_with_annotation(**annotation: Any) -> bytes:
    """A document with something to click on its page."""
    with pikepdf.new() as document:
        page = document.add_blank_page()
        made = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=[0, 0, 99, 99], **annotation)
        page.obj.Annots = pikepdf.Array([made])
        buffer = io.BytesIO()
        document.save(buffer)
        return buffer.getvalue()


def pdf_stream_bomb() -> bytes:
    """Its objects are in a compressed stream of a few hundred kilobytes, which stands for 300 MB."""
    packed = zlib.compress(b" " * 300_000_000, 9)
    head = b"%PDF-1.5\n"
    stream = (
        b"1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length "
        + str(len(packed)).encode()
        + b" >>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
    )
    table_at = len(head) + len(stream)
    # type (1 byte), position or stream (4), index (1)
    entries = (
        struct.pack(">BIB", 0, 0, 255)
        + struct.pack(">BIB", 1, len(head), 0)
        + struct.pack(">BIB", 2, 1, 0)
        + struct.pack(">BIB", 1, table_at, 0)
    )
    table = (
        b"3 0 obj\n<< /Type /XRef /Size 4 /W [1 4 1] /Root 2 0 R /Length "
        + str(len(entries)).encode()
        + b" >>\nstream\n"
        + entries
        + b"\nendstream\nendobj\nstartxref\n"
        + str(table_at).encode()
        + b"\n%%EOF\n"
    )
    return head + stream + table


def opened(content: bytes) -> BinaryIO:
    return io.BytesIO(content)


def read_back(content: bytes) -> Image.Image:
    """A stored rendition, as a browser reads it."""
    image = Image.open(io.BytesIO(content), formats=["WEBP"])
    image.load()
    return image


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
