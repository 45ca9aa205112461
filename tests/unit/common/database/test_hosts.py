"""Several servers of one database: how they are written down, and in which order they are tried."""

from __future__ import annotations

import pytest

from common.database.hosts import PASSED_OVER_SECONDS, Hosts, split_hosts

ONE, TWO, THREE = ("a", 3306), ("b", 3307), ("::1", 3308)


@pytest.mark.parametrize(
    "url, addresses",
    [
        ("mysql+pymysql://u:p@a/db", [ONE]),
        ("mysql+pymysql://u:p%2C%40@a:3306,b:3307/db?charset=utf8mb4", [ONE, TWO]),
        ("mysql+pymysql://a,b:3307,[::1]:3308/db", [ONE, TWO, THREE]),
    ],
)
def test_a_url_names_servers_separated_by_commas(url: str, addresses: list[tuple[str, int]]) -> None:
    first, found = split_hosts(url)
    assert list(found) == addresses
    assert (first.host, first.database) == ("a", "db")
    assert first.password in (None, "p", "p,@")


def test_a_server_that_failed_is_tried_last_for_a_while() -> None:
    now = 100.0
    hosts = Hosts((ONE, TWO, THREE), lambda: now)
    assert hosts.in_order() == [ONE, TWO, THREE]
    hosts.failed(ONE)
    assert hosts.in_order() == [TWO, THREE, ONE]
    hosts.failed(THREE)
    assert hosts.in_order() == [TWO, ONE, THREE]
    now += PASSED_OVER_SECONDS
    assert hosts.in_order() == [ONE, TWO, THREE]
