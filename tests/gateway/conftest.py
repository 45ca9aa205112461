"""Two upstreams for all tests, and a gateway for each set of settings, started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.gateway.gateway import Gateway
from tests.gateway.public import stay_within_half_a_minute
from tests.gateway.upstream import Upstream

StartGateway = Callable[..., Gateway]
ORIGIN = "https://www.example.org"


@pytest.fixture(scope="session")
def ticketing() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def payment() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def start_gateway(
    ticketing: Upstream, payment: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartGateway]:
    running: dict[tuple[object, ...], Gateway] = {}

    def start(edits: Mapping[str, str] | None = None, *arguments: str, **settings: str) -> Gateway:
        key = (*sorted((edits or {}).items()), *arguments, *sorted(settings.items()))
        if key not in running:
            defaults = {
                "TICKETING_PORT": str(ticketing.port),
                "PAYMENT_PORT": str(payment.port),
                "PUBLIC_URL": "https://tickets.example.org",
                "GATEWAY_RATE": "100000",
                "GATEWAY_BURST": "100000",
            }
            running[key] = Gateway(
                tmp_path_factory.mktemp("run"), {**defaults, **settings}, edits, *arguments
            )
        return running[key]

    yield start
    for gateway in running.values():
        gateway.process.close()


@pytest.fixture(scope="session")
def gateway(start_gateway: StartGateway) -> Gateway:
    """The one for most tests: 127.0.0.9 may see monitoring, 127.0.0.7 is a trusted proxy."""
    return start_gateway(
        MONITORING_ALLOW="127.0.0.9/32, 2001:db8:1::/48",
        TRUSTED_PROXIES="127.0.0.7,127.0.0.6",
        CORS_ORIGINS=f"{ORIGIN}, https://console.example.org:8443",
    )


@pytest.fixture
def shop(ticketing: Upstream) -> Iterator[Upstream]:
    """Ticketing with public answers."""
    yield ticketing
    ticketing.prepared.clear()


@pytest.fixture
def cached(start_gateway: StartGateway, shop: Upstream) -> Gateway:
    stay_within_half_a_minute()
    return start_gateway(PAYMENT_PORT=str(shop.port))
