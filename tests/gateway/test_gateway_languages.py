from __future__ import annotations

import pytest

from common.texts import LANGUAGES
from common.web.language import negotiated
from tests.gateway.gateway import Gateway
from tests.gateway.public import SEARCH, asked, public
from tests.gateway.upstream import Upstream

# As browsers send them, and as they do not.
LANGUAGE_HEADERS = [
    "",
    "fr",
    "FR",
    "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7",
    "de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7",
    "it-IT,it;q=0.9,nl;q=0.8,en;q=0.7",
    "it,pt-BR;q=0.8",
    "en-US,en;q=0.5",
    "zh-Hans-CN,zh;q=0.9,es;q=0.8",
    "fr;q=0.1, en",
    "it, fr;q=0.1, en;q=0.9",
    "en;q=0, de",
    "*",
    "it, *;q=0.5",
    "eno, den, fr;q=0.3",
    "ene-de, nl;q=0.2",
    "de;q=1.0,en",
    "de;en",
    ",,,de",
    "fr_FR",
    'fr"; evil',
    "x" * 300,
]


@pytest.mark.parametrize("header", LANGUAGE_HEADERS)
def test_each_gets_the_language_that_the_service_itself_would_choose(
    cached: Gateway, shop: Upstream, header: str
) -> None:
    offered = tuple(LANGUAGES)
    target = f"{SEARCH}?q=language-{LANGUAGE_HEADERS.index(header)}"
    # First others fill the cache, in each language and without one.
    for language in ("", *offered):
        shop.prepared[SEARCH] = public(language.encode() or offered[0].encode(), ("Vary", "Accept-Language"))
        cached.get(target, {"Accept-Language": language})
    shop.prepared[SEARCH] = public(b"from the service")
    before = len(asked(shop, target))
    answer = cached.get(target, {"Accept-Language": header})
    chosen = negotiated(header, offered)
    if answer.body == b"from the service":
        assert negotiated(asked(shop, target)[before].get("Accept-Language", ""), offered) == chosen
    else:
        assert answer.body == chosen.encode()


def test_a_language_has_one_copy_however_it_is_written(cached: Gateway, shop: Upstream) -> None:
    target = f"{SEARCH}?q=one-copy"
    shop.prepared[SEARCH] = public(b"x", ("Vary", "Accept-Language"))
    for header in ("de", "de-AT,de;q=0.9,en;q=0.8", "de-DE, en;q=0.5", "pl,de;q=0.9"):
        cached.get(target, {"Accept-Language": header})
    assert [item["Accept-Language"] for item in asked(shop, target)] == ["de"]
    cached.get(target, {"Accept-Language": "nl"})
    assert len(asked(shop, target)) == 2
