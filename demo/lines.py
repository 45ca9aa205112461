"""What of an answer is worth a person's while: one line each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from demo.catalogue import Json


def money(value: Json) -> str:
    """`{"amount": 1250, "currency": "EUR"}` as `12.50 EUR`."""
    return f"{value['amount'] / 100:.2f} {value['currency']}"


def fields(*names: str) -> Callable[[Any], str]:
    """These members, by name."""
    return lambda body: ", ".join(f"{name}: {body[name]}" for name in names)


def titles(body: Json) -> str:
    """What was found."""
    return "; ".join(f"{each['title']} ({each['city']})" for each in body["data"])


def prices(ticket: Json) -> str:
    """The units of the first option."""
    units = ticket["options"][0]["units"]
    return ", ".join(f"{unit['title']} {money(unit['price'])}" for unit in units)


def slots(body: Json) -> str:
    """How many slots, and the first."""
    if not body["data"]:
        return "no slot"
    first, more = body["data"][0], len(body["data"]) - 1
    rest = f"; {more} more" if more else ""
    return f"{first['localStart']}: {first['status']}, {first['vacancies']} places left{rest}"


def quote(answer: Json) -> str:
    """Whether it can be booked, and the price."""
    price = answer["price"]
    parts = ", ".join(f"{name} {money(price[name])}" for name in ("items", "discount", "fee", "total"))
    return f"{'can be booked' if answer['canBook'] else 'cannot be booked'}: {parts}"


def booking(answer: Json) -> str:
    """Reference, state, payment, total."""
    payment = answer["payment"]["status"]
    total = money(answer["price"]["total"])
    return f"{answer['reference']} {answer['status']}, payment {payment}, total {total}"


def held(answer: Json) -> str:
    """The same, and for how long the places are held."""
    return f"{booking(answer)}, held for {minutes_held(answer)} minutes"


def minutes_held(answer: Json) -> int:
    """From the making of a booking to the end of its hold."""
    begin, end = (datetime.fromisoformat(answer[name]) for name in ("createdAt", "expiresAt"))
    return round((end - begin).total_seconds() / 60)


def location(answer: Any) -> str:
    """Where it leads, without what is secret in the query."""
    return f"to {answer.headers['Location'].partition('?')[0]}"


def size(answer: Any) -> str:
    """What it is and how large."""
    return f"{answer.headers['Content-Type']}, {len(answer.content)} bytes"


def facts(problem: Json) -> str:
    """The members that belong to this problem alone."""
    usual = {"type", "title", "status", "detail", "instance", "code", "errors"}
    return "; ".join(f"{name}: {value}" for name, value in problem.items() if name not in usual)


def revenue(body: Json) -> str:
    """What each row has of sales, fees and refunds."""
    rows = (
        f"{row['key'] or 'whole bookings'}: "
        + ", ".join(
            f"{name} {money(row[name])}" for name in ("sales", "fees", "refunds") if row[name]["amount"]
        )
        for row in body["data"]
    )
    return "; ".join(rows) or "nothing yet"
