"""What cannot be accepted: each with its status, code and place; nothing changes, nothing is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.http.ticketing.shop import CUSTOMER, UNKNOWN, Reply, Shop, item, pointers, refusal
from tests.security.answers import check_problem
from tests.security.digest import Watch
from tests.security.hostile import replaced
from tests.security.stage import LAST_DAY, Call, Stage, signed

JSON = "application/json"
WITH_BODY = (
    "POST /tickets", "PUT /tickets/<uuid:ticket_id>", "PATCH /tickets/<uuid:ticket_id>",
    "PUT /tickets/<uuid:ticket_id>/schedule", "PATCH /slots/<uuid:slot_id>",
    "POST /slots/<uuid:slot_id>/cancel", "POST /availability/check", "POST /bookings",
    "POST /bookings/lookup", "PATCH /bookings/<uuid:booking_id>",
    "POST /bookings/<uuid:booking_id>/cancel", "POST /redemptions", "POST /redemptions/batch",
    "POST /vouchers", "PATCH /vouchers/<uuid:voucher_id>", "POST /internal/people/export",
    "POST /internal/people/erase",
)  # fmt: skip
WITH_TEXT = {
    "POST /tickets": ("title", "en"),
    "POST /slots/<uuid:slot_id>/cancel": ("reason",),
    "POST /bookings": ("customer", "name"),
    "PATCH /bookings/<uuid:booking_id>": ("customer", "name"),
    "POST /bookings/<uuid:booking_id>/cancel": ("reason",),
    "POST /bookings/lookup": ("reference",),
    "POST /redemptions": ("code",),
    "POST /redemptions/batch": ("scans", 0, "code"),
    "POST /vouchers": ("code",),
}


def refused(stage: Stage, call: Call, what: object = "", **how: Any) -> Reply:
    """The call's answer, which is in order and has left no trace."""
    with stage.watch.unchanged(what):
        answer = stage.send(call, **how)
    check_problem(answer, what)
    return answer


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_that_cannot_be_read_is_refused_by_each_route(any_stage: Stage, name: str) -> None:
    call = any_stage.call(name)
    whole = json.dumps(call.body).encode()
    tries: tuple[tuple[bytes, str, int, str], ...] = (
        (b"", JSON, 400, "MALFORMED_JSON"),
        (whole[:-1], JSON, 400, "MALFORMED_JSON"),
        (whole + b"}", JSON, 400, "MALFORMED_JSON"),
        (b"\xef\xbb\xbf" + whole, JSON, 400, "MALFORMED_JSON"),
        (whole.decode().encode("utf-16"), JSON, 400, "MALFORMED_JSON"),
        (b'{"a": NaN}', JSON, 400, "MALFORMED_JSON"),
        (b'{"a": "\\ud800"}', JSON, 400, "MALFORMED_JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON, 400, "MALFORMED_JSON"),
        (b"[" * 40 + b"]" * 40, JSON, 400, "MALFORMED_JSON"),
        (b'"' + b"x" * 5_000_000 + b'"', JSON, 413, "CONTENT_TOO_LARGE"),
        (whole, "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (whole, "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (whole, "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"[]", JSON, 422, "VALIDATION_FAILED"),
        (b"null", JSON, 422, "VALIDATION_FAILED"),
        (b'"text"', JSON, 422, "VALIDATION_FAILED"),
    )
    for raw, kind, status, code in tries:
        answer = refused(any_stage, call, (name, raw[:40], kind), data=raw, content_type=kind)
        assert refusal(answer) == (status, code), (name, raw[:40], kind)


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_unknown_field_is_named_by_each_route(any_stage: Stage, name: str) -> None:
    call = any_stage.call(name)
    answer = refused(any_stage, call, name, json={**call.body, "isAdmin": True})
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    assert ("/isAdmin", "UNKNOWN_FIELD") in pointers(answer)


@pytest.mark.parametrize("name,path", WITH_TEXT.items())
def test_texts_with_control_characters_or_too_long_are_refused(
    any_stage: Stage, name: str, path: tuple[Any, ...]
) -> None:
    call, pointer = any_stage.call(name), "/" + "/".join(map(str, path))
    for text in ("a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\r\nb"):
        answer = refused(any_stage, call, (name, text), json=replaced(call.body, path, text))
        assert (pointer, "CONTROL_CHARACTER") in pointers(answer), (name, text)
    long = refused(any_stage, call, name, json=replaced(call.body, path, "x" * 20_000))
    assert long.status_code == 422
    assert pointers(long)[0][0] == pointer


@pytest.mark.parametrize(
    "name", ["GET /tickets", "GET /bookings", "GET /vouchers", "GET /redemptions/revocations", "GET /revenue"]
)
def test_a_query_with_repeated_or_unknown_parameters_is_refused(any_stage: Stage, name: str) -> None:
    call = any_stage.call(name)
    first = next(iter(call.query))
    for more, pointer, code in (
        (f"{first}=1&{first}=1", f"?{first}", "REPEATED"),
        ("isAdmin=1", "?isAdmin", "UNKNOWN_FIELD"),
        (f"{first}=a%00b", f"?{first}", "CONTROL_CHARACTER"),
    ):
        bare = Call(method=call.method, path=call.path, token=call.token)
        answer = refused(any_stage, bare, (name, more), query_string=more)
        assert refusal(answer) == (422, "VALIDATION_FAILED")
        assert (pointer, code) in pointers(answer), (name, more)


def orders(stage: Stage) -> Iterator[tuple[str, list[dict[str, Any]], int, str, str]]:
    """What cannot be ordered: why, the items, and the refusal."""
    slot, other = stage.slots[3], stage.other_slots[3]
    good, line = item(slot), item(slot)["units"][0]
    foreign = other["units"][0]["unitId"]

    def units(*lines: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**good, "units": list(lines)}]

    at = "/items/0/units/0"
    yield "no items", [], 422, "VALIDATION_FAILED", "/items"
    yield "too many items", [good] * 11, 422, "VALIDATION_FAILED", "/items"
    yield "no units", units(), 422, "VALIDATION_FAILED", "/items/0/units"
    yield "zero units", units({**line, "quantity": 0}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "minus one", units({**line, "quantity": -1}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "1,000 units", units({**line, "quantity": 1000}), 422, "TOO_MANY_UNITS", f"{at}/quantity"
    yield "1,001 units", units({**line, "quantity": 1001}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "a fraction", units({**line, "quantity": 1.5}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "a text", units({**line, "quantity": "1"}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "a yes", units({**line, "quantity": True}), 422, "VALIDATION_FAILED", f"{at}/quantity"
    yield "another ticket's unit", units({**line, "unitId": foreign}), 422, "UNKNOWN_UNIT", f"{at}/unitId"
    yield "no such unit", units({**line, "unitId": str(UNKNOWN)}), 422, "UNKNOWN_UNIT", f"{at}/unitId"
    yield "no such slot", [{**good, "slotId": str(UNKNOWN)}], 404, "SLOT_NOT_FOUND", "/items/0/slotId"
    yield (
        "a ticket as slot",
        [{**good, "slotId": stage.ticket["id"]}],
        404,
        "SLOT_NOT_FOUND",
        "/items/0/slotId",
    )
    yield "a price", units({**line, "price": 1}), 422, "VALIDATION_FAILED", f"{at}/price"


def test_an_order_that_cannot_be_names_its_place(any_stage: Stage) -> None:
    hold, change = any_stage.call("POST /bookings"), any_stage.call("PATCH /bookings/<uuid:booking_id>")
    for why, items, status, code, pointer in orders(any_stage):
        for call in (hold, change):
            body = {"items": items}
            if call is hold:
                body = {**body, "customer": CUSTOMER}  # type: ignore[dict-item]
            answer = refused(any_stage, call, why, json=body)
            assert refusal(answer) == (status, code), why
            assert pointer in [where for where, _ in pointers(answer)], why


def test_a_day_that_is_past_is_not_sold(any_stage: Stage) -> None:
    shop, hold = any_stage.shop, any_stage.call("POST /bookings")
    shop.clock.move(days=1)
    try:
        for slot in (any_stage.slots[0], any_stage.other_slots[0]):
            answer = refused(any_stage, hold, json={"items": [item(slot)], "customer": CUSTOMER})
            assert refusal(answer) == (409, "CUTOFF_PASSED")
    finally:
        shop.clock.move(days=-1)


BACKWARDS: tuple[tuple[str, str, Callable[[Any], Any], str], ...] = (
    ("POST /vouchers", "validUntil", lambda _: "2026-05-01T00:00:00Z", "INVALID_VOUCHER"),
    ("GET /revenue", "to", lambda _: "2026-06-01", "INVALID_PERIOD"),
    ("GET /tickets", "to", lambda _: "2026-06-01", "VALIDATION_FAILED"),
    ("GET /tickets/<uuid:ticket_id>/availability", "to", lambda _: "2026-06-01", "INVALID_PERIOD"),
    (
        "PUT /tickets/<uuid:ticket_id>/schedule",
        "closures",
        lambda _: [{"dateFrom": LAST_DAY, "dateTo": "2026-07-01"}],
        "INVALID_SCHEDULE",
    ),
    (
        "PUT /tickets/<uuid:ticket_id>/schedule",
        "rules",
        lambda rules: [{**rules[0], "dateFrom": LAST_DAY, "dateTo": "2026-07-01"}],
        "INVALID_SCHEDULE",
    ),
)


@pytest.mark.parametrize("name,member,change,code", BACKWARDS)
def test_a_time_that_ends_before_it_begins_is_refused(
    any_stage: Stage, name: str, member: str, change: Callable[[Any], Any], code: str
) -> None:
    call = any_stage.call(name)
    if call.query:
        bare = Call(method=call.method, path=call.path, token=call.token)
        query = {**call.query, member: change(call.query[member])}
        answer = refused(any_stage, bare, name, query_string=query)
    else:
        answer = refused(any_stage, call, name, json={**call.body, member: change(call.body[member])})
    assert refusal(answer) == (422, code)


def test_what_is_somebody_else_s_is_not_there(any_stage: Stage) -> None:
    foreign = any_stage.foreign["accessToken"]
    for name, call in ((name, any_stage.call(name)) for name in any_stage.calls):
        if " /bookings/<uuid" in name and not name.endswith("/pay"):
            mine = Call(method=call.method, path=call.path, token=foreign, query=call.query)
            body = {"reason": "x"} if name.endswith("/cancel") else call.body
            answer = refused(any_stage, mine, name, **({} if body is None else {"json": body}))
            assert refusal(answer) == (404, "BOOKING_NOT_FOUND"), name
            unknown = mine.path.replace(any_stage.held["id"], str(UNKNOWN)).replace(
                any_stage.paid["id"], str(UNKNOWN)
            )
            nothing = Call(method=call.method, path=unknown, token=foreign, query=call.query)
            same = refused(any_stage, nothing, name, **({} if body is None else {"json": body}))
            # One that is not there and one that is somebody else's cannot be told apart.
            assert {**same.json, "instance": ""} == {**answer.json, "instance": ""}, name


def test_a_webhook_without_a_good_signature_has_no_effect(any_stage: Stage) -> None:
    call = any_stage.call("POST /webhooks/payment")
    body = {"paymentId": "x", "resourceId": any_stage.held["id"], "event": "payment.captured"}
    raw = json.dumps(body).encode()
    good = signed(any_stage, raw)["X-Signature"]
    stamp, code = good.removeprefix("t=").split(",v1=")
    wrong = (
        None, "", "t=,v1=", f"v1={code}", f"t={stamp}", f"t={stamp},v1={code[:-1]}",
        f"t={stamp},v1={'0' * 64}",
        f"t={int(stamp) + 1},v1={code}", f"t=0{stamp},v1={code}", f"t={stamp},v0={code}",
        f"t={stamp},v1={code.upper()}", f"t=-{stamp},v1={code}",
        signed(any_stage, raw, "x" * 30)["X-Signature"],
        signed(any_stage, raw + b" ")["X-Signature"],
    )  # fmt: skip
    for signature in wrong:
        headers = {"Content-Type": JSON} | ({} if signature is None else {"X-Signature": signature})
        unsigned = Call(method="POST", path=call.path, headers=headers)
        answer = refused(any_stage, unsigned, signature, data=raw)
        assert refusal(answer) == (401, "SIGNATURE_INVALID"), signature
    for late in (301, -301, 10**9):
        with any_stage.watch.unchanged(late):
            assert refusal(any_stage.shop.webhook(body, late=late)) == (401, "SIGNATURE_INVALID")
    large = b" " * 70_000
    over = Call(method="POST", path=call.path, headers=signed(any_stage, large))
    assert refusal(refused(any_stage, over, data=large)) == (413, "CONTENT_TOO_LARGE")


def test_the_fourth_hold_of_an_address_and_the_eleventh_of_a_client_are_refused(any_shop: Shop) -> None:
    watch = Watch(any_shop.settings.database_url)
    slot = any_shop.slots(any_shop.ticket(), capacity=100, dateTo=LAST_DAY)[0]

    def guest(name: str) -> Reply:
        return any_shop.hold(item(slot), customer={**CUSTOMER, "email": f"{name}@example.org"})

    assert [guest("ann").status_code for _ in range(3)] == [201] * 3
    with watch.unchanged("the fourth"):
        assert refusal(guest("ann")) == (429, "TOO_MANY_HOLDS")
        assert refusal(guest("ANN")) == (429, "TOO_MANY_HOLDS")
    assert [guest(f"g{number}").status_code for number in range(7)] == [201] * 7
    with watch.unchanged("the eleventh"):
        answer = guest("late")
        assert refusal(answer) == (429, "TOO_MANY_HOLDS")
        check_problem(answer)
    any_shop.clock.move(minutes=15)
    assert guest("late").status_code == 201
    watch.close()


def test_a_key_that_stands_for_another_body_is_refused(any_stage: Stage) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"reason": "storm"}
    path = f"/slots/{any_stage.other_slots[2]['id']}/cancel"
    first = any_stage.shop.call("POST", path, body, role="ticket_manager", headers=key)
    assert first.status_code == 200
    with any_stage.watch.unchanged("another body"):
        other = any_stage.shop.call("POST", path, {"reason": "x"}, role="ticket_manager", headers=key)
        assert refusal(other) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_the_look_at_the_store_sees_a_change(any_stage: Stage) -> None:
    with pytest.raises(AssertionError, match="ticketing_vouchers"), any_stage.watch.unchanged("a voucher"):
        assert any_stage.send(any_stage.call("POST /vouchers")).status_code == 201
