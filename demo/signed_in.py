"""The staff of the tour: each signs in, for all to see, when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.staff import Account
from demo.story import Story, Unexpected

LOGIN = "/admin/auth/login"


class SignedIn:
    """`story.ask(..., **staff.as_("gate"))`: the token of somebody of a role, and who it is."""

    def __init__(self, story: Story, accounts: Mapping[str, Account]) -> None:
        self._story, self._accounts = story, accounts
        self._tokens: dict[str, str] = {}

    def as_(self, role: str) -> dict[str, str]:
        """Raises Unexpected, NobodyAnswers."""
        if role not in self._tokens:
            account = self._accounts.get(role)
            if account is None:
                raise Unexpected(f"there is no account of {role}: let `make run` start once more")
            answer = self._story.ask("POST", LOGIN, 200, body=account.body, show=_session)
            self._tokens[role] = answer.json()["accessToken"]
        return {"token": self._tokens[role], "who": role}


def _session(body: Any) -> str:
    user = body["user"]
    return f"{user['name']}, {', '.join(user['roles'])}, for {body['expiresIn'] // 60} minutes"
