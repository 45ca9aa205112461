"""Names of requests and journeys that the judgement asks for; locust's own process uses them too."""

from __future__ import annotations

PAYMENT_PAGE, PAYMENT_PRESS = "payment module: page", "payment module: pay"
EXTERNAL = frozenset({PAYMENT_PAGE, PAYMENT_PRESS})
"""Requests that the external payment module answers."""

CONFIRMED_BY_WEBHOOK = "booking confirmed, by webhook"
CONFIRMED_ON_RETURN = "booking confirmed, on return"
ADMISSIONS = "admissions after confirmation"
