"""A customer who lost the link to a booking gets it by mail; the answer to the request tells nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from common.web.idempotency import Answer, Idempotency, Replayed
from ticketing_service.actions.ports import Ports

MAILS_PER_HOUR = 3
_SCOPE = "lookup-mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpBookings:
    """`reference` is of the booking that is looked for; without one it is all of the address."""

    email: str
    language: str
    reference: str | None = None


def look_up_bookings(command: LookUpBookings, ports: Ports) -> None:
    """Have the worker send the links, at most three times an hour to one address, known or not.

    Whether there is anything to send the worker alone finds out, so that neither answer nor time tell. The
    limit is kept by three idempotency keys for each address and hour, one for each mail.
    """
    now = ports.clock()
    payload = {
        "template": "lookup",
        "email": command.email,
        "reference": command.reference,
        "language": command.language,
    }
    hour = now.strftime("%Y-%m-%dT%H")
    for number in range(MAILS_PER_HOUR):
        name = f"{command.email.casefold()}\n{hour}\n{number}"
        key = Idempotency(_SCOPE, sha256(name.encode()).hexdigest(), b"\x00" * 32, now, _nothing)
        with suppress(Replayed):
            ports.store.outbox.add("mail", payload, now, idempotency=key)
            return


def _nothing(_: Any, /) -> Answer:
    return Answer(202, b"", ())
