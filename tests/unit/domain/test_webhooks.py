"""The breaker of an endpoint, the waits between attempts, and the secrets that sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.identifiers import uuid7
from common.outgoing.signing import signed_headers
from ticketing_service.domain.webhooks import (
    FAILURES_TO_OPEN,
    MOST_SECRETS,
    Delivery,
    EventType,
    Health,
    SigningSecret,
    Subscription,
    with_secret,
)

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
DELIVERY = Delivery(
    id=uuid7(),
    subscription_id=uuid7(),
    event_id=uuid7(),
    type=EventType.BOOKING,
    subject=uuid7(),
    sequence=1,
    data={},
    due_at=NOW,
    until=NOW + timedelta(hours=24),
    created_at=NOW,
)
SUBSCRIPTION = Subscription(
    id=uuid7(),
    reseller_id=None,
    url="https://hooks.example.org/",
    events=tuple(EventType),
    secrets=(SigningSecret(1, "one"),),
    created_at=NOW,
    created_by="test",
)


def seconds(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - NOW).total_seconds()


@pytest.mark.parametrize(
    "attempts, wait", [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (99, 3600), (10_000, 3600)]
)
def test_the_waits_double_up_to_an_hour_give_or_take_a_fifth(attempts: int, wait: float) -> None:
    tried = replace(DELIVERY, attempts=attempts)
    waits = [seconds(tried.retry_at(NOW, chance)) for chance in (0.0, 0.5, 1.0)]
    assert waits == pytest.approx([wait * 0.8, wait, wait * 1.2])


def test_an_endpoint_may_ask_for_more_and_for_no_more_than_an_hour() -> None:
    tried = replace(DELIVERY, attempts=1)
    assert [seconds(tried.retry_at(NOW, 0.5, asked)) for asked in (1.0, 99.0, 1e9)] == [10, 99, 3600]


def test_what_would_come_after_its_day_is_given_up() -> None:
    tried, last = replace(DELIVERY, attempts=1), DELIVERY.until - timedelta(seconds=10)
    assert tried.retry_at(last, 0.5) is None
    assert tried.retry_at(last - timedelta(milliseconds=1), 0.5) is not None


def test_a_breaker_opens_after_some_failures_and_waits_longer_each_time() -> None:
    health = Health()
    for _ in range(FAILURES_TO_OPEN - 1):
        health = health.failed("x" * 999, NOW, 0.5)
        assert not health.is_open
        assert not health.rests(NOW)
    waits = []
    for _ in range(6):
        health = health.failed("gone", NOW, 0.5)
        waits.append(seconds(health.closed_until))
    assert waits == [30, 60, 120, 240, 300, 300]
    assert health.rests(NOW + timedelta(seconds=299))
    assert not health.rests(NOW + timedelta(seconds=300))
    well = health.succeeded()
    assert (well.failures, well.is_open, well.rests(NOW), well.last_error) == (0, False, False, "gone")
    assert well.failed("again", NOW, 0.5).is_open is False


def test_secrets_follow_each_other_and_an_old_one_keeps_its_end() -> None:
    first = with_secret(SUBSCRIPTION, "two", NOW)
    later = NOW + timedelta(hours=3)
    second = with_secret(first, "three", later)
    assert [(each.number, each.sealed) for each in second.secrets] == [(3, "three"), (2, "two"), (1, "one")]
    day = timedelta(hours=24)
    assert [each.until for each in second.secrets] == [None, later + day, NOW + day]
    assert [each.number for each in second.signing(NOW + day)] == [3, 2]
    for number in range(10):
        second = with_secret(second, f"more {number}", later)
    assert len(second.secrets) == MOST_SECRETS


def test_a_signature_is_that_of_the_specification() -> None:
    """The example that the libraries of Standard Webhooks are tested with."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
