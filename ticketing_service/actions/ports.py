"""All that the actions reach the outside through, as one value. `ticketing_service.wiring` builds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.auth.keyfiles import KeyRing
from common.auth.standing import FixedStanding, KeyUses, StandingSource
from common.clock import Clock
from common.mail.port import Mailer
from ticketing_service.actions.booking_tokens import BookingTokens
from ticketing_service.clients.port import PaymentModule, PoiDirectory
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.calls import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`admission_keys` sign and verify admission codes; `issue` is `actions.issuing.Issuer(admission_keys)`.
    `booking_tokens(booking)` is the access token of a booking. `public_url` is where visitors reach us,
    without a slash at the end. A payer may be sent back to `return_url_origins` alone; webhooks are signed
    with one of `webhook_secrets`. `standing` is what is known of credentials beside their signatures, and
    `key_uses` notes which keys of machines are used in this process."""

    store: Store
    payment_module: PaymentModule
    poi_directory: PoiDirectory
    mailer: Mailer
    clock: Clock
    policy: SalePolicy
    admission_keys: KeyRing
    issue: Issue
    booking_tokens: BookingTokens
    public_url: str
    return_url_origins: tuple[str, ...] = ()
    webhook_secrets: tuple[str, ...] = ()
    standing: StandingSource = field(default_factory=FixedStanding)
    key_uses: KeyUses = field(default_factory=KeyUses)
