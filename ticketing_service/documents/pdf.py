"""Admissions as a PDF: one page each, made for paper and for telephones. Only the worker imports this."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from fpdf import FPDF
from fpdf.fonts import TTFFont

from common.texts import text_in
from ticketing_service.documents.qr import qr_modules
from ticketing_service.documents.wording import Wording, wording
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import Booking, BookingItem

FONT_FOLDERS = (Path("/usr/share/fonts/truetype/dejavu"), Path("/usr/share/fonts/dejavu"))
"""Where Debian's `fonts-dejavu-core` and others put DejaVu Sans."""

_CORE, _WIDE = "helvetica", "dejavu"
_INK, _SOFT, _LINE = (24, 32, 44), (105, 115, 130), (205, 212, 222)
_BRAND, _PAPER, _WARNING = (17, 77, 92), (255, 255, 255), (255, 209, 102)
# Millimetres on A4.
_LEFT, _WIDTH, _TOP = 20.0, 170.0, 20.0
_BAND, _CORNER, _QR, _COLUMN, _GAP = 46.0, 4.0, 66.0, 82.0, 9.0
_MOST_TITLE_LINES, _MOST_VALUE_LINES = 2, 4


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page to be drawn."""

    booking: Booking
    item: BookingItem
    admission: Admission
    places: tuple[str, ...]
    number: int
    count: int
    host: str


def render_admissions(
    booking: Booking, admissions: Sequence[Admission], poi_names: Mapping[UUID, str], public_url: str
) -> bytes:
    """The PDF of the admissions that are not cancelled, in the customer's language.

    `poi_names` are in that language. Raises ValueError when there is nothing to print.
    """
    items = {item.id: item for item in booking.items}
    living = [admission for admission in admissions if admission.cancelled_at is None]
    if not living:
        raise ValueError("no admission is left to print")
    sheets = [
        _Sheet(
            booking=booking,
            item=items[admission.item_id],
            admission=admission,
            places=tuple(poi_names[poi_id] for poi_id in admission.poi_ids if poi_id in poi_names),
            number=number,
            count=len(living),
            host=urlsplit(public_url).netloc,
        )
        for number, admission in enumerate(living, start=1)
    ]
    words = wording(booking.customer.language)
    with closing(_Paper(_needs_wide_font(sheets))) as pdf:
        return _printed(pdf, sheets, words, booking)


def _printed(pdf: _Paper, sheets: Sequence[_Sheet], words: Wording, booking: Booking) -> bytes:
    pdf.set_title(f"{words.label('admission')} {booking.reference}")
    pdf.set_lang(words.language)
    # The same booking gives the same bytes, whenever it is rendered.
    pdf.set_creation_date(booking.updated_at)
    for sheet in sheets:
        _draw(pdf, sheet, words)
    return bytes(pdf.output())


class _Paper(FPDF):
    """A4 in one typeface: a font that every reader has, or DejaVu Sans when a name needs more letters."""

    def __init__(self, wide: bool) -> None:
        super().__init__(format="A4")
        self.set_margin(0)
        self.set_auto_page_break(False)
        fonts = _dejavu() if wide else None
        self.family = _CORE if fonts is None else _WIDE
        if fonts is not None:
            regular, bold = fonts
            self.add_font(_WIDE, "", regular)
            self.add_font(_WIDE, "B", bold)

    def close(self) -> None:
        """Let go of the font files, which fpdf2 leaves open."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def use(self, size: float, colour: tuple[int, int, int], *, bold: bool = False) -> None:
        """Write on with this size (points) and colour."""
        self.set_font(self.family, "B" if bold else "", size)
        self.set_text_color(*colour)

    def fit(self, text: str) -> str:
        """`text` in letters that the font has; another becomes the nearest one, or a sign for it."""
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        if self.family == _WIDE:
            letters = _letters()
            return "".join(sign if ord(sign) in letters else "\N{WHITE SQUARE}" for sign in text)
        return _latin(text)

    def lines(self, text: str, width: float, most: int) -> list[str]:
        """`text` broken into at most `most` lines; the last one ends in dots when there is more."""
        broken = self.multi_cell(width, 1, self.fit(text), dry_run=True, output="LINES", align="L")
        if not isinstance(broken, list):
            raise TypeError("fpdf2 did not answer with lines")
        if len(broken) <= most:
            return broken
        last = broken[most - 1]
        while last and self.get_string_width(last + "...") > width:
            last = last[:-1]
        return [*broken[: most - 1], last.rstrip() + "..."]

    def block(self, left: float, top: float, width: float, leading: float, lines: Sequence[str]) -> float:
        """Write `lines` below `top`; says where they end."""
        for line in lines:
            self.set_xy(left, top)
            self.cell(width, leading, line)
            top += leading
        return top


def _draw(pdf: _Paper, sheet: _Sheet, words: Wording) -> None:
    pdf.add_page()
    bottom = _draw_band(pdf, sheet, words)
    top = bottom + 12
    end = _draw_facts(pdf, sheet, words, top)
    _draw_code(pdf, sheet, words, top)
    _draw_frame(pdf, max(end, top + _QR + 22) + 8)
    pdf.use(8, _SOFT)
    pdf.set_xy(_LEFT, 280)
    pdf.cell(_WIDTH / 2, 5, pdf.fit(sheet.host))
    pdf.set_xy(_LEFT + _WIDTH / 2, 280)
    pdf.cell(_WIDTH / 2, 5, words.label("page", number=sheet.number, count=sheet.count), align="R")


def _draw_band(pdf: _Paper, sheet: _Sheet, words: Wording) -> float:
    language = words.language
    pdf.set_fill_color(*_BRAND)
    pdf.rect(_LEFT, _TOP, _WIDTH, _BAND, style="F", round_corners=True, corner_radius=_CORNER)
    # Round above, straight below.
    pdf.rect(_LEFT, _TOP + _BAND / 2, _WIDTH, _BAND / 2, style="F")
    pdf.use(9, (176, 211, 219), bold=True)
    pdf.set_xy(_LEFT + 9, _TOP + 7)
    pdf.cell(_WIDTH - 18, 5, pdf.fit(words.label("admission").upper()))
    if sheet.booking.is_test:
        pdf.use(16, _WARNING, bold=True)
        pdf.set_xy(_LEFT + 9, _TOP + 6)
        pdf.cell(_WIDTH - 18, 7, pdf.fit(words.label("test")), align="R")
    pdf.use(20, _PAPER, bold=True)
    title = pdf.lines(text_in(sheet.admission.title, language), _WIDTH - 18, _MOST_TITLE_LINES)
    top = pdf.block(_LEFT + 9, _TOP + 13, _WIDTH - 18, 8.5, title)
    option = text_in(sheet.item.terms.option_title, language)
    pdf.use(11, _PAPER)
    pdf.block(_LEFT + 9, top + 1.5, _WIDTH - 18, 5, pdf.lines(option, _WIDTH - 18, 1))
    return _TOP + _BAND


def _draw_facts(pdf: _Paper, sheet: _Sheet, words: Wording, top: float) -> float:
    admission, item, booking = sheet.admission, sheet.item, sheet.booking
    unit = text_in(admission.unit_title, words.language)
    one_line_each = 1 if len(sheet.places) > 1 else _MOST_VALUE_LINES
    facts = [
        ("date", [words.days_of(item)], _MOST_VALUE_LINES),
        ("time", [words.time_of(item)], _MOST_VALUE_LINES),
        ("place" if len(sheet.places) == 1 else "places", sheet.places, one_line_each),
        ("for", [unit], _MOST_VALUE_LINES),
        ("admits", [words.people(admission.pax_count)], 1),
        ("name", [booking.customer.name], _MOST_VALUE_LINES),
        ("reference", [booking.reference], 1),
    ]
    for label, values, most in facts:
        if not any(values):
            continue
        pdf.use(8, _SOFT)
        top = pdf.block(_LEFT + 9, top, _COLUMN, 4.5, [pdf.fit(words.label(label))])
        pdf.use(12, _INK, bold=True)
        written = [line for value in values for line in pdf.lines(value, _COLUMN, most)]
        top = pdf.block(_LEFT + 9, top, _COLUMN, 5.8, written) + 3.2
    return top


def _draw_code(pdf: _Paper, sheet: _Sheet, words: Wording, top: float) -> None:
    """The code as squares, row by row in runs: sharp at every size, and no image to decode."""
    modules = qr_modules(sheet.admission.code)
    side = _QR / len(modules)
    left = _LEFT + _WIDTH - _QR - _GAP
    pdf.set_fill_color(0, 0, 0)
    for row, squares in enumerate(modules):
        column = 0
        while column < len(squares):
            run = column
            while run < len(squares) and squares[run]:
                run += 1
            if run > column:
                # A hair of overlap, so that no reader shows a seam between rows.
                x, y = left + column * side, top + row * side
                pdf.rect(x, y, (run - column) * side, side + 0.01, style="F")
            column = max(run, column + 1)
    under = top + _QR + 5
    if sheet.booking.is_test:
        pdf.use(11, _INK, bold=True)
        pdf.block(left, under, _QR, 5.2, pdf.lines(words.label("test_care"), _QR, 3))
        return
    pdf.use(9, _INK)
    under = pdf.block(left, under, _QR, 4.4, pdf.lines(words.label("show"), _QR, 3))
    pdf.use(9, _SOFT)
    pdf.block(left, under + 1, _QR, 4.4, pdf.lines(words.label("care"), _QR, 3))


def _draw_frame(pdf: _Paper, bottom: float) -> None:
    pdf.set_draw_color(*_LINE)
    pdf.set_line_width(0.3)
    height = bottom - _TOP
    pdf.rect(_LEFT, _TOP, _WIDTH, height, style="D", round_corners=True, corner_radius=_CORNER)


def _needs_wide_font(sheets: Sequence[_Sheet]) -> bool:
    texts = [sheet.booking.customer.name for sheet in sheets]
    for sheet in sheets:
        texts += sheet.places
        for named in (sheet.admission.title, sheet.admission.unit_title, sheet.item.terms.option_title):
            texts.append(text_in(named, sheet.booking.customer.language))
    # Embedding a font costs twenty times as much as the rest of the page.
    return any(not _is_latin(text) for text in texts)


def _is_latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)


def _latin(text: str) -> str:
    plain = []
    for sign in text:
        parts = sign if ord(sign) < 256 else unicodedata.normalize("NFKD", sign)
        base = "".join(part for part in parts if not unicodedata.combining(part))
        plain.append(base if base and _is_latin(base) else "?")
    return "".join(plain)


@cache
def _dejavu() -> tuple[Path, Path] | None:
    """The files of DejaVu Sans, regular and bold; None when it is not installed."""
    for folder in FONT_FOLDERS:
        regular, bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        if regular.is_file() and bold.is_file():
            return regular, bold
    return None


@cache
def _letters() -> frozenset[int]:
    """The characters that both of its faces have."""
    with closing(_Paper(wide=True)) as paper:
        faces = [set(font.cmap) for font in paper.fonts.values() if isinstance(font, TTFFont)]
    return frozenset(set.intersection(*faces)) if faces else frozenset()
