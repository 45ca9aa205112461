"""QR codes (ISO/IEC 18004) of admission codes."""

from __future__ import annotations

import io

import segno

MAX_VERSION = 10
QUIET_ZONE = 4
PIXELS_PER_MODULE = 8


def qr_modules(code: str) -> tuple[tuple[bool, ...], ...]:
    """The dark (True) and light squares, without the quiet zone. Raises ValueError as below."""
    return tuple(tuple(map(bool, row)) for row in _symbol(code).matrix)


def qr_svg(code: str) -> bytes:
    """The code as an SVG document. Raises ValueError when it does not fit version 10."""
    out = io.BytesIO()
    _symbol(code).save(
        out, kind="svg", border=QUIET_ZONE, scale=PIXELS_PER_MODULE, dark="#000", light="#fff", xmldecl=False
    )
    return out.getvalue()


def qr_png(code: str) -> bytes:
    """The code as a PNG image, 8 pixels a module. Raises ValueError when it does not fit version 10."""
    out = io.BytesIO()
    _symbol(code).save(out, kind="png", border=QUIET_ZONE, scale=PIXELS_PER_MODULE)
    return out.getvalue()


def _symbol(code: str) -> segno.QRCode:
    symbol = segno.make_qr(code, error="m", boost_error=False)
    # Larger symbols need a better camera than gates have.
    if int(symbol.version) > MAX_VERSION:
        raise ValueError(f"the code does not fit a QR symbol of version {MAX_VERSION}")
    return symbol
