"""The small parts under a route: keys, languages, cursors, instants, complaints, policies."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields, validate
from werkzeug.routing import Map

from common.auth.policy import GUEST, Caller, anyone, bearer, bearer_or, proven_by, roles
from common.web.field_errors import FIELD_CODES, coded, field_errors
from common.web.idempotency import Answer, Idempotency, fingerprint_of, hashed_key, is_key, scope_of
from common.web.language import negotiated
from common.web.paging import decode_cursor, encode_cursor
from common.web.problems import PROBLEM_CODES, Problem
from common.web.rules import LookedUp
from common.web.schemas import ApiSchema, Instant, WholeNumber, camel_case, instant_text

OFFERED = ("en", "es", "de", "nl", "fr")


# --- idempotency ---


def test_the_fingerprint_is_of_method_path_and_canonical_body():
    same = fingerprint_of("POST", "/a", {"x": 1, "y": [1, 2]})
    assert same == fingerprint_of("POST", "/a", {"y": [1, 2], "x": 1})
    others = [
        ("PUT", "/a", {"x": 1, "y": [1, 2]}),
        ("POST", "/b", {"x": 1, "y": [1, 2]}),
        ("POST", "/a", {"x": 1, "y": [2, 1]}),
    ]
    assert same not in {fingerprint_of(*other) for other in others}
    assert len(same) == 32


def test_a_scope_fits_a_column_and_stays_distinct():
    assert scope_of("guest", "POST", "/b") == "guest POST /b"
    long = {scope_of("access:" + "x" * 300, "POST", path) for path in ("/a", "/b")}
    assert len(long) == 2
    assert all(len(scope) <= 200 for scope in long)


@pytest.mark.parametrize("length, good", [(15, False), (16, True), (64, True), (65, False)])
def test_a_key_has_16_to_64_visible_characters(length, good):
    assert is_key("k" * length) is good
    assert not is_key("\x7f" * length)
    assert len(hashed_key("k" * length)) == 64


def test_a_result_can_be_presented_before_it_is_rendered():
    key = Idempotency(
        "s", "k", b"f", datetime.now(UTC), lambda result: Answer(201, repr(result).encode(), ())
    )
    assert key.presenting(lambda number: {"id": number}).render(5).body == b"{'id': 5}"


def test_an_answer_that_was_foreseen_is_kept_for_its_own_result_alone():
    rendered = []

    def render(result: list[str]) -> Answer:
        rendered.append(result)
        return Answer(200, result[0].encode(), ())

    expected, alike, other = ["a"], ["a"], ["b"]
    key = Idempotency("scope", "key", b"", datetime.now(UTC), render).foreseeing(expected)
    assert [key.answer(each).body for each in (expected, alike, other)] == [b"a", b"a", b"b"]
    assert [id(each) for each in rendered] == [id(expected), id(alike), id(other)]


# --- languages ---


@pytest.mark.parametrize(
    "header, language",
    [
        ("", "en"),
        ("nl", "nl"),
        ("nl-BE, en;q=0.9", "nl"),
        ("en;q=0.1, DE;q=0.8", "de"),
        ("pt, *;q=0.5", "en"),
        ("fr;q=0", "en"),
        ("fr;q=nan", "en"),
        ("fr;q=2", "en"),
        (";;;,,,q=", "en"),
        ("fr;level=1", "en"),
    ],
)
def test_the_best_language_on_offer_is_chosen(header, language):
    assert negotiated(header, OFFERED) == language


@given(st.text())
def test_no_header_makes_negotiation_fail(header):
    assert negotiated(header, OFFERED) in OFFERED


# --- cursors and instants ---


@given(st.lists(st.none() | st.text() | st.integers(-(2**53), 2**53), min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_went(position):
    text = encode_cursor(position)
    assert decode_cursor(text) == tuple(position)
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=50))
def test_a_strangers_cursor_is_refused_and_never_fails(text):
    with contextlib.suppress(ValidationError):
        assert isinstance(decode_cursor(text), tuple)


def test_an_instant_is_written_in_utc_with_milliseconds():
    moment = datetime(2026, 5, 1, 14, 0, 0, 5999, tzinfo=timezone(timedelta(hours=2)))
    assert instant_text(moment) == "2026-05-01T12:00:00.005Z"


@pytest.mark.parametrize(
    "text, good",
    [
        ("2026-05-01T12:00:00Z", True),
        ("2026-05-01T14:00:00.000+02:00", True),
        ("2026-05-01T12:00:00", False),
        ("2026-05-01", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("yesterday", False),
        (5, False),
        ([], False),
    ],
)
def test_an_instant_needs_its_offset(text, good):
    field = Instant()
    if good:
        assert field.deserialize(text) == datetime(2026, 5, 1, 12, tzinfo=UTC)
    else:
        with pytest.raises(ValidationError):
            field.deserialize(text)


@pytest.mark.parametrize("value", ["5", 5.5, True, 2**60, -(2**60), None, 1e400])
def test_a_whole_number_is_a_json_number_that_every_reader_keeps(value):
    with pytest.raises(ValidationError):
        WholeNumber().deserialize(value)


def test_names_are_camel_case_in_json():
    assert camel_case("valid_from_day") == "validFromDay"


# --- complaints ---


def complaint(field, value):
    schema = ApiSchema.from_dict({"x": field})()
    with pytest.raises(ValidationError) as caught:
        schema.load({"x": value})
    return field_errors(caught.value.messages, caught.value.data)[0].code


@pytest.mark.parametrize(
    "field, value, code",
    [
        (fields.String(), 5, "WRONG_TYPE"),
        (fields.String(), None, "REQUIRED"),
        (fields.Integer(), "x", "WRONG_TYPE"),
        (fields.Float(), "x", "WRONG_TYPE"),
        (fields.Boolean(), "x", "WRONG_TYPE"),
        (fields.List(fields.String()), "x", "WRONG_TYPE"),
        (fields.Dict(), "x", "WRONG_TYPE"),
        (fields.Nested(ApiSchema()), "x", "WRONG_TYPE"),
        (fields.UUID(), "x", "INVALID"),
        (fields.Date(), "x", "INVALID"),
        (fields.Email(), "x", "INVALID"),
        (fields.Integer(validate=validate.Range(1, 2)), 3, "OUT_OF_RANGE"),
        (fields.Integer(validate=validate.Range(max=2)), 3, "OUT_OF_RANGE"),
        (fields.String(validate=validate.Length(2, 4)), "x", "TOO_SHORT"),
        (fields.String(validate=validate.Length(2, 4)), "xxxxx", "TOO_LONG"),
        (fields.String(validate=validate.Length(max=4)), "xxxxx", "TOO_LONG"),
        (fields.String(validate=validate.Length(min=4)), "x", "TOO_SHORT"),
        (fields.String(validate=validate.Length(equal=4)), "xxxxx", "TOO_LONG"),
        (fields.String(validate=validate.OneOf(["a"])), "x", "NOT_A_CHOICE"),
        (fields.List(fields.String(), validate=validate.ContainsOnly(["a"])), ["x"], "NOT_A_CHOICE"),
        (fields.String(validate=validate.Regexp("a")), "x", "INVALID"),
    ],
)
def test_each_complaint_of_marshmallow_has_a_stable_code(field, value, code):
    assert complaint(field, value) == code
    assert code in FIELD_CODES


def test_a_validators_own_code_is_kept():
    def refuse(value):
        raise coded("OUT_OF_RANGE", "No later than: tomorrow.")

    assert complaint(fields.String(validate=refuse), "x") == "OUT_OF_RANGE"


# --- policies ---


def of(*names, kind="access"):
    return Caller(kind=kind, subject="1", roles=frozenset(names))


@pytest.mark.parametrize(
    "policy, served, refused",
    [
        (anyone(), [GUEST, of(), of(kind="booking")], []),
        (
            roles("support", "gate"),
            [of("gate"), of("platform_admin")],
            [GUEST, of(), of("editor"), of(kind="booking")],
        ),
        (bearer("booking"), [of(kind="booking"), of("platform_admin")], [GUEST, of("support")]),
        (bearer_or("booking", "support"), [of(kind="booking"), of("support")], [GUEST, of("gate")]),
        (roles("gate") | roles("support"), [of("gate"), of("support")], [GUEST, of("editor")]),
        (anyone() | roles("support"), [GUEST, of("support"), of("gate")], []),
        (proven_by("X-Signature"), [GUEST], []),
    ],
)
def test_a_policy_serves_whom_it_names_and_nobody_else(policy, served, refused):
    for caller in served:
        policy.check(caller)
    for caller in refused:
        with pytest.raises(Problem) as caught:
            policy.check(caller)
        assert caught.value.status == (401 if caller.is_guest else 403)


def test_a_limited_credential_is_limited():
    place = UUID(int=1)
    assert Caller(kind="access").may_use(place)
    assert not Caller(kind="access", poi_ids=frozenset()).may_use(place)


def test_an_empty_policy_cannot_be_declared():
    for declare in (roles, bearer, lambda: bearer("guest")):
        with pytest.raises(TypeError):
            declare()


def test_every_problem_has_a_status_of_its_kind():
    assert all(400 <= code.status < 600 and code.title for code in PROBLEM_CODES.values())


# --- rules ---


def test_a_rule_is_found_by_an_address_and_builds_none():
    addresses = Map([LookedUp("/places/<uuid:place_id>", endpoint="place")]).bind("127.0.0.1")
    assert addresses.match(f"/places/{UUID(int=1)}") == ("place", {"place_id": UUID(int=1)})
    with pytest.raises(NotImplementedError, match="/places/"):
        addresses.build("place", {"place_id": UUID(int=1)})
