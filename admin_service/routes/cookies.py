"""The cookie that a browser keeps its refresh token in: no script reads it, and it goes to sign-in alone."""

from __future__ import annotations

from flask import Request, Response

from admin_service.domain.sessions import REFRESH_LIFETIME

PATH = "/api/v1/admin/auth"
"""As a browser sees it: at the gateway."""


class RefreshCookie:
    """`public_url`: where browsers are; `https` there makes the cookie Secure."""

    def __init__(self, public_url: str) -> None:
        self._secure = public_url.startswith("https://")
        # A name that begins so is refused by browsers without Secure: nobody on plain http can plant one.
        self.name = "__Secure-refresh" if self._secure else "refresh"

    def of(self, request: Request) -> str | None:
        """The token that the browser sent."""
        return request.cookies.get(self.name)

    def set(self, response: Response, token: str) -> None:
        """Have the browser keep `token`."""
        response.set_cookie(
            self.name,
            token,
            max_age=REFRESH_LIFETIME,
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="Strict",
        )

    def clear(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path=PATH, secure=self._secure, httponly=True, samesite="Strict")
