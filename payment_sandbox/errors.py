"""What the sandbox refuses, in the contract's shape."""

from __future__ import annotations


class Refusal(Exception):
    """An answer other than 2xx: HTTP status, stable code, sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """The request was understood but a value in it is not allowed (422)."""
    return Refusal(422, "VALIDATION_FAILED", message)


def not_found() -> Refusal:
    """No such payment (404)."""
    return Refusal(404, "NOT_FOUND", "There is no such payment.")
