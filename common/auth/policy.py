"""Who may call a route: a `Caller` is who they are, a `Policy` is declared at the route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from common.web.problems import problem

ADMINISTRATOR = "platform_admin"
GUEST_KIND, ACCESS_KIND, OPERATOR_KIND, SERVICE_KIND = "guest", "access", "operator", "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends the request, verified.

    `kind`: guest, access (a signed-in person or machine), operator (the key), or a kind that a service's own
    bearer resolver gives. `subject`: the id behind the credential. `poi_ids`: the places a credential is
    limited to; None: any.
    """

    kind: str
    subject: str = ""
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)
    poi_ids: frozenset[UUID] | None = None

    @property
    def principal(self) -> str:
        """The caller in one word, such as `guest` or `access:018f...`; idempotency keys belong to it."""
        return self.kind if self.kind == GUEST_KIND else f"{self.kind}:{self.subject}"

    @property
    def is_guest(self) -> bool:
        """Whether no credential was sent."""
        return self.kind == GUEST_KIND

    def has(self, *roles: str) -> bool:
        """Whether the caller holds one of `roles`; the platform administrator holds every one."""
        return ADMINISTRATOR in self.roles or not self.roles.isdisjoint(roles)

    def may_use(self, poi_id: UUID) -> bool:
        """Whether the credential's limitation to places, if any, includes `poi_id`."""
        return self.poi_ids is None or poi_id in self.poi_ids


GUEST = Caller(kind=GUEST_KIND)


@dataclass(frozen=True, slots=True)
class Proof:
    """A credential of the route's own that its view verifies: a header or query parameter."""

    place: Literal["header", "query"]
    name: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom a route serves. Combine with `|`; the platform administrator may use every route."""

    guests: bool = False
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    proof: Proof | None = None

    def __or__(self, other: Policy) -> Policy:
        return Policy(
            self.guests or other.guests,
            self.kinds | other.kinds,
            self.roles | other.roles,
            self.proof or other.proof,
        )

    def check(self, caller: Caller) -> None:
        """Raise Problem 401 UNAUTHENTICATED for a guest, 403 FORBIDDEN for anybody else whom the route does
        not serve."""
        if self.guests or self.proof is not None or caller.kind in self.kinds:
            return
        if caller.is_guest:
            raise problem("UNAUTHENTICATED", headers={"WWW-Authenticate": "Bearer"})
        if not caller.has(*self.roles):
            raise problem("FORBIDDEN")


def anyone() -> Policy:
    """Guests and everybody else; a credential that is sent must nevertheless be good."""
    return Policy(guests=True)


def roles(*names: str) -> Policy:
    """Callers whose access token holds one of the roles `names`."""
    if not names:
        raise TypeError("roles() needs at least one role")
    return Policy(roles=frozenset(names))


def bearer(*kinds: str) -> Policy:
    """Callers whose token is of one of `kinds`, whatever their roles: "access", or a kind of a service's
    resolver."""
    if not kinds or GUEST_KIND in kinds:
        raise TypeError("bearer() needs at least one kind of token")
    return Policy(kinds=frozenset(kinds))


def bearer_or(kind: str, *names: str) -> Policy:
    """A token of `kind`, or one of the roles `names`."""
    return bearer(kind) | roles(*names)


def proven_by(name: str, place: Literal["header", "query"] = "header") -> Policy:
    """Whoever brings the proof `name`, such as a signature header, which the view itself must verify."""
    return Policy(proof=Proof(place, name))
