"""Rules that addresses are looked up by and never built from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from werkzeug.routing import Rule


class LookedUp(Rule):
    """`app.url_rule_class = LookedUp`: no code is compiled to build addresses from its rules, which takes
    half of the time that an app is made in. `url_for` raises NotImplementedError.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _never


def _never(rule: Rule, **values: object) -> NoReturn:
    raise NotImplementedError(f"addresses are not built from rules: {rule.rule}")
