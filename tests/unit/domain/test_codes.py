"""Admission codes: they fit, they say what was signed, and nothing else passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from common.refusals import RefusalCode
from tests.unit.domain.builders import START, admission, uid
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.codes import (
    PREFIX,
    Payload,
    key_id,
    payload_of,
    poi_fingerprint,
    read,
    sign,
    verify,
)
from ticketing_service.domain.entry import EntryMode
from ticketing_service.domain.errors import Code, Refused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KID = key_id(KEY.public_key())
KEYS = {KID: KEY.public_key()}
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _payload(pois: int = 1) -> Payload:
    poi_ids = tuple(uid(f"poi {n}") for n in range(pois))
    return payload_of(admission(ticket_type=TicketType.COMBO, poi_ids=poi_ids, pax_count=300, valid_days=5))


CODE = sign(_payload(), KEY, KID)


@pytest.mark.parametrize("pois", range(1, 9))
def test_a_code_says_what_was_signed_and_fits_a_version_10_qr(pois: int) -> None:
    code = sign(_payload(pois), KEY, KID)
    found = verify(code, KEYS)
    assert found == read(code)
    assert found.kid == KID
    assert (found.admission_id, found.pax_count, found.valid_days) == (uid("admission"), 300, 5)
    assert (found.valid_from, found.valid_until) == (START - timedelta(hours=1), START + timedelta(hours=2))
    assert (found.first_day, found.entry_mode) == (date(2026, 7, 1), EntryMode.EACH_POI)
    assert set(found.pois) == {poi_fingerprint(uid(f"poi {n}")) for n in range(pois)}
    picture = segno.make(code, error="m", boost_error=False, micro=False)
    assert picture.mode == "alphanumeric"
    assert int(picture.version) <= 10


def test_a_code_names_one_to_eight_pois() -> None:
    for count in (0, 9):
        with pytest.raises(ValueError, match="1 to 8"):
            _payload(count)


def test_case_and_surrounding_space_do_not_matter() -> None:
    assert verify(f" {CODE.lower()}\r\n", KEYS) == verify(CODE, KEYS)


def _verdict(code: str) -> RefusalCode:
    with pytest.raises(Refused) as refused:
        verify(code, KEYS)
    assert refused.value.pointer == "/code"
    return refused.value.code


def test_every_changed_character_is_noticed() -> None:
    for place in range(len(CODE)):
        for char in (BASE32[n] for n in (0, 1, 16, 31)):
            changed = CODE[:place] + char + CODE[place + 1 :]
            if changed != CODE:
                assert _verdict(changed) in (Code.CODE_FORGED, Code.CODE_UNREADABLE)


def _is_readable(code: str) -> bool:
    try:
        read(code)
    except Refused as refused:
        return refused.code is not Code.CODE_UNREADABLE
    return True


def test_bits_that_decode_to_nothing_do_not_make_a_second_spelling() -> None:
    code = sign(_payload(2), KEY, KID)
    spare_bits = (len(code) - len(PREFIX)) * 5 % 8
    assert spare_bits == 3
    readable = [code[:-1] + last for last in BASE32 if _is_readable(code[:-1] + last)]
    assert len(readable) == 32 >> spare_bits
    # The others differ in bits of the signature, and none of them is ours.
    assert [_verdict(spelling) for spelling in readable if spelling != code] == [Code.CODE_FORGED] * 3


@pytest.mark.parametrize("pois", [(), (b"bbbb", b"aaaa"), (b"aaaa", b"aaaa"), (b"aaaa",) * 9])
def test_even_a_signed_code_must_be_in_its_one_form(pois: tuple[bytes, ...]) -> None:
    assert _verdict(sign(replace(_payload(), pois=pois), KEY, KID)) is Code.CODE_UNREADABLE


def test_another_key_or_another_keys_name_is_forged() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert _verdict(sign(_payload(), stranger, key_id(stranger.public_key()))) is Code.CODE_FORGED
    assert _verdict(sign(_payload(), stranger, KID)) is Code.CODE_FORGED
    both = {**KEYS, key_id(stranger.public_key()): stranger.public_key()}
    assert verify(sign(_payload(), stranger, key_id(stranger.public_key())), both).pax_count == 300


@pytest.mark.parametrize(
    "code",
    [
        "",
        PREFIX,
        CODE[4:],
        CODE[:-1],
        CODE[:-8],
        CODE + "A",
        CODE + "=",
        CODE[:20] + " " + CODE[20:],
        "TA2:" + CODE[4:],
        CODE.replace("A", "0", 1),
        CODE * 50,
        CODE[:-3] + "ıſK",
        "https://example.org/" + CODE,
        "\0" * 200,
    ],
    ids=range(14),
)
def test_what_is_no_code_of_ours_is_unreadable(code: str) -> None:
    assert _verdict(code) is Code.CODE_UNREADABLE


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=250), st.text(BASE32, max_size=220).map(lambda text: PREFIX + text)))
def test_no_text_does_anything_but_being_refused(text: str) -> None:
    assert _verdict(text) in (Code.CODE_FORGED, Code.CODE_UNREADABLE)
