"""All that the actions reach the outside through, as one value. `ticketing_service.wiring` builds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.auth.keyfiles import KeyRing, SecretRing
from common.auth.sealing import Sealing
from common.auth.standing import FixedStanding, KeyUses, StandingSource
from common.clock import Clock
from common.mail.port import Mailer
from ticketing_service.actions.booking_tokens import BookingTokens
from ticketing_service.actions.following import Followed
from ticketing_service.actions.known_resellers import KnownResellers
from ticketing_service.clients.port import PaymentModule, PoiDirectory, WebhookSender
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.calls import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`admission_keys` sign and verify admission codes; `issue` is `actions.issuing.Issuer(admission_keys)`.
    `booking_tokens(booking)` is the access token of a booking. `public_url` is where visitors reach us,
    without a slash at the end. A payer may be sent back to `return_url_origins` alone; webhooks are signed
    with one of `webhook_secrets`. `standing` is what is known of credentials beside their signatures, and
    `key_uses` notes which keys of machines are used in this process. `known_resellers` are whose keys are
    good, `reseller_key_secrets` make them, `reseller_key_uses` notes which are used in this process.
    `webhook_seals` seal what outgoing webhooks are signed with, `webhook_sender` sends them.
    `followed` is what the platform says of sales now."""

    store: Store
    payment_module: PaymentModule
    poi_directory: PoiDirectory
    mailer: Mailer
    clock: Clock
    followed: Followed
    admission_keys: KeyRing
    issue: Issue
    booking_tokens: BookingTokens
    known_resellers: KnownResellers
    reseller_key_secrets: SecretRing
    webhook_sender: WebhookSender
    webhook_seals: Sealing
    public_url: str
    return_url_origins: tuple[str, ...] = ()
    webhook_secrets: tuple[str, ...] = ()
    standing: StandingSource = field(default_factory=FixedStanding)
    key_uses: KeyUses = field(default_factory=KeyUses)
    reseller_key_uses: KeyUses = field(default_factory=KeyUses)

    @property
    def policy(self) -> SalePolicy:
        """The rules of every sale, as they are now."""
        return self.followed.platform.policy
