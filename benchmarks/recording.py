"""Record the statements of one sale, as the service executes them, so that a floor can execute the same.

`python -m benchmarks.recording FILE SLOT UNIT` runs the service's own WSGI app in this process, sells
twice, and writes both sales: what differs between them is what a floor must make anew for each booking.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ, urandom
from pathlib import Path
from time import time_ns
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, event

Executed = tuple[str, list[tuple[Any, ...]], bool]
"""A statement in the driver's words, its rows of parameters, and whether it went through `executemany`."""

_MACHINERY = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
_ID_SIZE, _TEXT_SIZE = 16, 48


@dataclass(frozen=True, slots=True)
class Fresh:
    """A place for a value that is new for each booking: `kind` is `id7`, `id`, `bytes` or `text`."""

    number: int
    kind: str
    like: Any


class TheSlot:
    """A place in a statement for the slot, which is also the id of its counter."""


@dataclass(frozen=True, slots=True)
class Sale:
    """The statements of a hold and its confirmation, with places for what is new in each booking."""

    statements: tuple[Executed, ...]
    fresh: tuple[Fresh, ...]

    def filled(self, slot_id: UUID) -> Iterator[Executed]:
        """The statements of a new booking on a slot."""
        made = [_made(place) for place in self.fresh]
        slot = slot_id.bytes
        for sql, rows, many in self.statements:
            yield sql, [_filled(row, made, slot) for row in rows], many


def record_sale(env: Mapping[str, str], slot_id: UUID, unit_id: UUID) -> Sale:
    """What one hold and confirm with the settings `env` executes; a free ticket without a voucher."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales"
        argv = [sys.executable, "-m", "benchmarks.recording", str(file), str(slot_id), str(unit_id)]
        subprocess.run(argv, env={**environ, **env}, check=True, timeout=60)
        first, second = pickle.loads(file.read_bytes())
    return template(first, second, slot_id)


def template(first: Sequence[Executed], second: Sequence[Executed], slot_id: UUID) -> Sale:
    """The statements of `first` with a place wherever `second` has another value.

    Raises ValueError when the two are not the same statements.
    """
    if [(sql, len(rows)) for sql, rows, _ in first] != [(sql, len(rows)) for sql, rows, _ in second]:
        raise ValueError("two sales executed different statements")
    places: dict[Any, Fresh] = {}

    def place(value: Any, other: Any) -> Any:
        if value == slot_id.bytes:
            return TheSlot
        if value == other or not isinstance(value, str | bytes):
            return value
        return places.setdefault(value, Fresh(len(places), _kind(value), value))

    statements = tuple(
        (sql, [tuple(map(place, *pair)) for pair in zip(rows, others, strict=True)], many)
        for (sql, rows, many), (_, others, _) in zip(first, second, strict=True)
    )
    return Sale(statements, tuple(places.values()))


def _kind(value: str | bytes) -> str:
    if isinstance(value, str):
        return "text"
    if len(value) != _ID_SIZE:
        return "bytes"
    return "id7" if UUID(bytes=value).version == 7 else "id"


def _made(place: Fresh) -> Any:
    """A new value of the same kind and length. Only what an index sees must be new; the rest stays alike."""
    if place.kind == "id7":
        return (time_ns() // 1_000_000).to_bytes(6) + urandom(10)
    if place.kind == "id":
        return urandom(_ID_SIZE)
    if place.kind == "bytes":
        return urandom(_ID_SIZE) + place.like[_ID_SIZE:]
    return (b64encode(urandom(_TEXT_SIZE)).decode() + place.like[4 * _TEXT_SIZE // 3 :])[: len(place.like)]


def _filled(row: tuple[Any, ...], made: Sequence[Any], slot: bytes) -> tuple[Any, ...]:
    return tuple(
        made[value.number] if value.__class__ is Fresh else slot if value is TheSlot else value
        for value in row
    )


@contextmanager
def executed() -> Iterator[list[Executed]]:
    """The statements that any SQLAlchemy engine of this process executes meanwhile, transactions left out."""
    statements: list[Executed] = []

    def note(_: Connection, __: Any, sql: str, parameters: Any, ___: Any, many: bool) -> None:
        if not sql.startswith(_MACHINERY):
            rows = parameters if many else [parameters]
            statements.append((sql, [tuple(row) for row in rows], many))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def sell_in_process(slot_id: UUID, unit_id: UUID, number: int) -> list[Executed]:
    """Hold and confirm through the WSGI app of this process's settings."""
    from ticketing_service.wsgi import app  # noqa: PLC0415 - reads the environment, which only the child has

    body = {
        "items": [{"slotId": str(slot_id), "units": [{"unitId": str(unit_id), "quantity": 1}]}],
        "customer": {"name": "Guest", "email": f"recording-{number}@example.com", "language": "en"},
    }
    headers = {"Idempotency-Key": f"recording-{number:012}", "X-Real-IP": f"192.0.2.{number}"}
    client = app.test_client()
    with executed() as statements:
        held = client.post("/api/v1/bookings", json=body, headers=headers)
        if held.status_code != 201:
            raise SystemExit(f"the hold was answered {held.status_code}: {held.text}")
        bearer = {"Authorization": f"Bearer {held.json['accessToken']}"}  # type: ignore[index]
        confirmed = client.post(f"/api/v1/bookings/{held.json['id']}/confirm", headers=bearer)  # type: ignore[index]
        if confirmed.status_code != 200:
            raise SystemExit(f"the confirmation was answered {confirmed.status_code}: {confirmed.text}")
    return statements


def main(file: str, slot: str, unit: str) -> None:
    from ticketing_service.wsgi import app  # noqa: PLC0415 - as above

    hook = app.extensions.get("post_fork")
    if hook is not None:
        hook()
    # the first sale is thrown away: what is done once a process is no part of a sale
    sales = [sell_in_process(UUID(slot), UUID(unit), number) for number in range(1, 4)]
    Path(file).write_bytes(pickle.dumps(sales[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
