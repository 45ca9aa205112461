"""QR codes as a scanner reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ticketing_service.documents.qr import MAX_VERSION, qr_modules, qr_png, qr_svg

CODE = "TA1:" + "ABCDEFGH234567" * 15


def test_a_scanner_reads_the_png(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(qr_png(CODE))
    read = subprocess.run(["zbarimg", "-q", "--raw", path], capture_output=True, check=True, text=True)
    assert read.stdout.strip() == CODE


def test_the_svg_is_well_formed_and_has_the_size_of_the_symbol() -> None:
    root = ET.fromstring(qr_svg(CODE))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert int(root.attrib["width"]) == (len(qr_modules(CODE)) + 8) * 8


def test_a_code_that_needs_more_than_version_10_is_refused() -> None:
    longest = "A" * 311
    assert len(qr_modules(longest)) == 17 + 4 * MAX_VERSION
    with pytest.raises(ValueError, match="version 10"):
        qr_svg(longest + "A")
