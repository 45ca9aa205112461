"""What of an answer is worth a person's while: one line each."""

from __future__ import annotations

from collections.abc import Callable
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
    first = body["data"][0] if body["data"] else None
    more = f"{len(body['data'])} slots"
    return f"{more}; {first['localStart']}: {first['status']}, {first['vacancies']} left" if first else more


def quote(answer: Json) -> str:
    """Whether it can be booked, and the price."""
    price = answer["price"]
    parts = ", ".join(f"{name} {money(price[name])}" for name in ("items", "discount", "fee", "total"))
    return f"canBook: {answer['canBook']}; {parts}"


def booking(answer: Json) -> str:
    """Reference, state, payment, total."""
    payment = answer["payment"]["status"]
    total = money(answer["price"]["total"])
    return f"{answer['reference']} {answer['status']}, payment {payment}, total {total}"


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
    """Sales and refunds of each row."""
    rows = (
        f"{row['key']}: sales {money(row['sales'])}, refunds {money(row['refunds'])}" for row in body["data"]
    )
    return "; ".join(rows) or "nothing yet"
