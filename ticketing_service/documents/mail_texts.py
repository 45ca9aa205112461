"""What a customer is written: subject, text and HTML of each template in each language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from uuid import UUID

from common.mail.letters import BUTTON, PAGE, PAGE_END, Letter
from common.texts import text_in
from ticketing_service.documents.wording import Wording, wording
from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus


class Template(StrEnum):
    """Why we write."""

    CONFIRMATION = "confirmation"
    CANCELLED = "cancelled"
    SLOT_CANCELLED = "slot_cancelled"
    LOOKUP = "lookup"
    PAYMENT_RETURNED = "payment_returned"
    CAPTURE_REFUSED = "capture_refused"


_ABOUT_A_CANCELLATION = (Template.CANCELLED, Template.SLOT_CANCELLED)
_WITH_VISITS = (Template.CONFIRMATION, *_ABOUT_A_CANCELLATION)
_ENDED = (BookingStatus.CANCELLED, BookingStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class _Visit:
    title: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """The visits of one booking, and where it is opened."""

    visits: tuple[_Visit, ...]
    link: str


def write_letter(
    template: Template,
    booking: Booking,
    poi_names: Mapping[UUID, str],
    link: str,
    *,
    amount: int = 0,
    reason: str = "",
) -> Letter:
    """The letter in the customer's language. `amount` (minor units) is what goes back to them; `link` opens
    the booking; `poi_names` are in their language."""
    words = wording(booking.customer.language)
    texts = words.mail[template.value]
    values = {
        "reference": booking.reference,
        "title": _title(booking, words.language),
        "amount": words.money(amount, booking.price.currency),
        "reason": reason,
    }
    living = [item for item in booking.items if item.status not in _ENDED]
    lines = list(texts["lines"])
    if reason and "reason" in texts:
        lines.append(texts["reason"])
    if amount > 0 and "refund" in texts:
        lines.append(texts["refund"])
    if template in _ABOUT_A_CANCELLATION:
        lines.append(texts["rest"] if living else texts["gone"])
    paragraphs = [str(line).format_map(values) for line in lines]
    subject = str(texts["subject"]).format_map(values)
    if booking.is_test:
        subject = f"{words.label('test')}: {subject}"
        paragraphs.insert(0, str(words.mail["test"]))
    blocks = []
    if template in _WITH_VISITS:
        blocks.append(_Block(tuple(_visit(item, poi_names, words) for item in living), link))
    return _letter(subject, booking.customer.name, paragraphs, blocks, words)


def write_links(
    links: Sequence[tuple[Booking, str]], poi_names: Mapping[UUID, str], name: str, language: str
) -> Letter:
    """The answer to a customer who lost the links to their bookings: each booking with its link."""
    words = wording(language)
    texts = words.mail[Template.LOOKUP.value]
    blocks = [
        _Block(tuple(_visit(item, poi_names, words) for item in booking.items), link)
        for booking, link in links
    ]
    return _letter(texts["subject"], name, texts["lines"], blocks, words)


def _letter(
    subject: str, name: str, paragraphs: Sequence[str], blocks: Sequence[_Block], words: Wording
) -> Letter:
    opening = [str(words.mail["greeting"]).format(name=name), *paragraphs]
    return Letter(
        subject=subject,
        text="\n".join(_as_text(opening, blocks, words)),
        html="".join(_as_html(opening, blocks, words)),
    )


def _title(booking: Booking, language: str) -> str:
    titles = dict.fromkeys(text_in(item.terms.ticket_title, language) for item in booking.items)
    return ", ".join(titles)


def _visit(item: BookingItem, poi_names: Mapping[UUID, str], words: Wording) -> _Visit:
    language = words.language
    option = text_in(item.terms.option_title, language)
    title = text_in(item.terms.ticket_title, language)
    units = Counter(text_in(unit.title, language) for unit in item.units if unit.status not in _ENDED)
    places = ", ".join(poi_names[poi_id] for poi_id in item.terms.poi_ids if poi_id in poi_names)
    details = (
        f"{words.days_of(item)}, {words.time_of(item)}",
        places,
        ", ".join(f"{count} x {name}" for name, count in units.items()),
    )
    return _Visit(f"{title}, {option}" if option else title, tuple(line for line in details if line))


def _as_text(paragraphs: Sequence[str], blocks: Sequence[_Block], words: Wording) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (paragraph, "")
    for block in blocks:
        for visit in block.visits:
            yield from (visit.title, *(f"  {line}" for line in visit.details), "")
        yield from (f"{words.mail['open']}:", block.link, "")
    if blocks:
        yield from (str(words.mail["link_care"]), "", str(words.mail["closing"]), "")


_VISIT = '<div style="margin:16px 0;padding:12px 16px;border-left:4px solid #114d5c;background:#f5f8f9">'
_SMALL = '<p style="font-size:13px;color:#697382">'


def _as_html(paragraphs: Sequence[str], blocks: Sequence[_Block], words: Wording) -> Iterator[str]:
    yield PAGE.format(language=words.language)
    for paragraph in paragraphs:
        yield f"<p>{escape(paragraph)}</p>"
    for block in blocks:
        for visit in block.visits:
            yield f"{_VISIT}<strong>{escape(visit.title)}</strong>"
            yield from (f"<br>{escape(line)}" for line in visit.details)
            yield "</div>"
        yield BUTTON.format(link=escape(block.link), label=escape(words.mail["open"]))
    if blocks:
        yield f"{_SMALL}{escape(words.mail['link_care'])}</p><p>{escape(words.mail['closing'])}</p>"
    yield PAGE_END
