"""Subscriptions to webhooks, for resellers and for those who administer the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from common.auth.sealing import SealBroken
from common.identifiers import uuid7
from common.outgoing.posting import UrlRefused
from common.outgoing.signing import new_secret
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import (
    KEPT_TRYING,
    Delivery,
    DeliveryState,
    EventType,
    Health,
    SigningSecret,
    Subscription,
    with_secret,
)

MOST_SUBSCRIPTIONS = 20


@dataclass(frozen=True, slots=True)
class Owner:
    """A reseller, who sees its own subscriptions alone: with a key for tests, those that such a key made."""

    reseller_id: UUID
    is_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription:
    """`owner`: the reseller who calls; without one, `reseller_id` says whose it is to be, or nobody's.
    `octo`: see `Subscription`.
    """

    url: str
    events: tuple[EventType, ...]
    active: bool = True
    reseller_id: UUID | None = None
    owner: Owner | None = None
    octo: tuple[str, ...] | None = None
    actor: str
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSubscription:
    """`changes` are fields of `Subscription`."""

    subscription_id: UUID
    expected_version: int
    changes: Mapping[str, Any]
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSecret:
    subscription_id: UUID
    expected_version: int
    owner: Owner | None = None
    idempotency: Idempotency | None = None


def find_subscriptions(
    owner: Owner | None, limit: int, cursor: str | None, ports: Ports
) -> Page[Subscription]:
    """Newest first."""
    if owner is None:
        return ports.store.webhooks.page(None, False, limit, cursor)
    return ports.store.webhooks.page(owner.reseller_id, owner.is_test, limit, cursor)


def find_subscription(subscription_id: UUID, owner: Owner | None, ports: Ports) -> Subscription:
    """Raises SUBSCRIPTION_NOT_FOUND, also for another one's."""
    found = ports.store.webhooks.get(subscription_id)
    if found is None or owner not in (None, _owner_of(found)):
        raise Refused(Code.SUBSCRIPTION_NOT_FOUND)
    return found


def create_subscription(command: CreateSubscription, ports: Ports) -> Subscription:
    """Raises WEBHOOK_URL_NOT_ALLOWED, RESELLER_NOT_FOUND, TOO_MANY_SUBSCRIPTIONS."""
    owner, subscription_id = command.owner, uuid7()
    _check_url(command.url, ports)
    sealed = ports.webhook_seals.seal(new_secret(), str(subscription_id))
    subscription = Subscription(
        id=subscription_id,
        reseller_id=command.reseller_id if owner is None else owner.reseller_id,
        is_test=owner is not None and owner.is_test,
        url=command.url,
        events=command.events,
        secrets=(SigningSecret(1, sealed),),
        octo=command.octo,
        active=command.active,
        created_at=ports.clock(),
        created_by=command.actor,
    )
    return ports.store.webhooks.create(subscription, MOST_SUBSCRIPTIONS, idempotency=command.idempotency)


def change_subscription(command: ChangeSubscription, ports: Ports) -> Subscription:
    """What was changed is tried at once, whatever its breaker was. Raises SUBSCRIPTION_NOT_FOUND,
    VERSION_CONFLICT, WEBHOOK_URL_NOT_ALLOWED.
    """
    current = find_subscription(command.subscription_id, command.owner, ports)
    changed = replace(current, **command.changes, health=Health())
    _check_url(changed.url, ports)
    return ports.store.webhooks.replace(changed, command.expected_version)


def renew_secret(command: RenewSecret, ports: Ports) -> Subscription:
    """A new secret signs from now on; those before sign beside it for another day. Raises
    SUBSCRIPTION_NOT_FOUND, VERSION_CONFLICT.
    """
    current = find_subscription(command.subscription_id, command.owner, ports)
    sealed = ports.webhook_seals.seal(new_secret(), str(current.id))
    renewed = with_secret(current, sealed, ports.clock())
    return ports.store.webhooks.replace(renewed, command.expected_version, idempotency=command.idempotency)


def delete_subscription(
    subscription_id: UUID, expected_version: int, owner: Owner | None, ports: Ports
) -> None:
    """Raises SUBSCRIPTION_NOT_FOUND, VERSION_CONFLICT."""
    find_subscription(subscription_id, owner, ports)
    ports.store.webhooks.delete(subscription_id, expected_version, ports.clock())


def secret_of(subscription_id: UUID, number: int, ports: Ports) -> str:
    """The secret itself, for the one answer that shows it, and for its repetition. Empty when it is gone."""
    found = ports.store.webhooks.get(subscription_id)
    for each in found.secrets if found is not None else ():
        if each.number == number:
            try:
                return ports.webhook_seals.open(each.sealed, str(subscription_id))
            except SealBroken:
                break
    return ""


def find_deliveries(
    subscription_id: UUID,
    state: DeliveryState | None,
    owner: Owner | None,
    limit: int,
    cursor: str | None,
    ports: Ports,
) -> Page[Delivery]:
    """Newest first. Raises SUBSCRIPTION_NOT_FOUND."""
    find_subscription(subscription_id, owner, ports)
    return ports.store.webhooks.deliveries(subscription_id, state, limit, cursor)


def replay_delivery(subscription_id: UUID, delivery_id: UUID, owner: Owner | None, ports: Ports) -> Delivery:
    """Raises SUBSCRIPTION_NOT_FOUND, DELIVERY_NOT_FOUND, DELIVERY_NOT_DEAD."""
    find_subscription(subscription_id, owner, ports)
    now = ports.clock()
    return ports.store.webhooks.replay(subscription_id, delivery_id, now, now + KEPT_TRYING)


def _owner_of(subscription: Subscription) -> Owner | None:
    if subscription.reseller_id is None:
        return None
    return Owner(subscription.reseller_id, subscription.is_test)


def _check_url(url: str, ports: Ports) -> None:
    try:
        ports.webhook_sender.check(url)
    except UrlRefused as error:
        raise Refused(Code.WEBHOOK_URL_NOT_ALLOWED, str(error), "/url") from error
