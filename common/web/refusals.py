"""Refusals of the business as problem documents."""

from __future__ import annotations

import math
from collections.abc import Mapping

from common.database import StoreUnavailable
from common.refusals import Kind, RefusalCode, Refused
from common.resilience.refusals import Refused as NotAsked
from common.web.documents import facts_document
from common.web.field_errors import FieldError
from common.web.problems import ErrorTable, Problem, ProblemCode

STATUS: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.STALE: 412,
    Kind.INVALID: 422,
    Kind.LOCKED: 423,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}


def problem_codes(codes: type[RefusalCode]) -> dict[str, ProblemCode]:
    """What the documentation says of `codes`."""
    return {code.name: ProblemCode(STATUS[code.kind], code.title) for code in codes}


class RefusalTable:
    """How the exceptions of one service's business become problems.

    `retry_after_seconds`: when it is worth asking again, where the refusal itself does not say.
    `store_unavailable`: the code of a store that gives no answer.
    """

    def __init__(
        self, retry_after_seconds: Mapping[RefusalCode, int], store_unavailable: RefusalCode
    ) -> None:
        self._retry_after, self._store_unavailable = dict(retry_after_seconds), store_unavailable

    def errors(self) -> ErrorTable:
        """For `problems.install`."""
        away = self._away
        return {Refused: self._problem, StoreUnavailable: away, NotAsked: away}

    def _problem(self, refused: Refused) -> Problem:
        code = refused.code
        seconds = refused.retry_after_seconds or self._retry_after.get(code)
        detail = refused.detail or code.title
        return Problem(
            STATUS[code.kind],
            code.name,
            code.title,
            detail,
            errors=() if refused.pointer is None else (FieldError(refused.pointer, code.name, detail),),
            headers=None if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))},
            facts=facts_document(refused.facts),
        )

    def _away(self, error: StoreUnavailable | NotAsked) -> Problem:
        return self._problem(Refused(self._store_unavailable, retry_after_seconds=error.retry_after_seconds))
