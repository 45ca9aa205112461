"""How MongoDB fails, in the words that the rest of the code knows."""

from __future__ import annotations

from typing import Any

from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from common.database.unavailable import StoreUnavailable

TRANSIENT = "TransientTransactionError"
UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
DOCUMENT_INVALID = 121
DUPLICATE_KEY = 11000
NO_SUCH_TRANSACTION = 251
WRITE_CONFLICT = 112
_UNAVAILABLE = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        50,  # MaxTimeMSExpired
        64,  # WriteConcernFailed
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        100,  # UnsatisfiableWriteConcern
        WRITE_CONFLICT,  # outside of a transaction: after the server's own tries
        133,  # FailedToSatisfyReadPreference
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        14031,  # OutOfDiskSpace
    }
)


class Conflict(Exception):
    """The transaction lost against another one and is to be run again, whole."""


class ServerRefused(Exception):
    """The server refused a statement that is wrong: its number, and which fields, but never their values, as
    an error's text is kept with its task and may reach a log."""


def is_transient(error: BaseException) -> bool:
    """Whether the whole transaction may simply be run again: it lost against another one."""
    return isinstance(error, Conflict) or (
        isinstance(error, PyMongoError) and error.has_error_label(TRANSIENT)
    )


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction has written what this one was about to write."""
    return isinstance(error, OperationFailure) and error.code == WRITE_CONFLICT


def is_unknown_commit(error: BaseException) -> bool:
    """Whether the commit may have happened, and may be asked for again."""
    return isinstance(error, PyMongoError) and error.has_error_label(UNKNOWN_COMMIT)


def is_duplicate(error: BaseException, name: str) -> bool:
    """Whether the unique index `name` objected, or one that has a field of that name."""
    if not isinstance(error, DuplicateKeyError):
        return False
    details: Any = error.details or {}
    return name in (details.get("keyPattern") or {}) or f" index: {name} " in str(details.get("errmsg", ""))


def is_unavailable(error: BaseException) -> bool:
    """Whether the store itself failed, not the statement."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError):
        return True
    if isinstance(error, InvalidOperation):
        return "after close" in str(error)
    if isinstance(error, PyMongoError) and error.timeout:
        return True
    return isinstance(error, OperationFailure) and error.code in _UNAVAILABLE


def translated(error: PyMongoError) -> Exception:
    """What is raised for it: StoreUnavailable, the DuplicateKeyError itself, or ServerRefused."""
    if is_unavailable(error):
        return StoreUnavailable(f"{type(error).__name__}: {str(error)[:200]}")
    if isinstance(error, DuplicateKeyError):
        return error
    if isinstance(error, OperationFailure):
        return ServerRefused(f"{type(error).__name__} {error.code}{_fields(error)}: {_said(error)}")
    return ServerRefused(type(error).__name__)


def _said(error: OperationFailure) -> str:
    if error.code == DOCUMENT_INVALID or isinstance(error, DuplicateKeyError):
        return "the document was refused"
    details: Any = error.details or {}
    return str(details.get("codeName") or "")


def _fields(error: OperationFailure) -> str:
    """The names in what a validator objects to."""
    names = sorted(set(_names(error.details)))
    return f" ({', '.join(names)})" if names else ""


def _names(found: Any) -> list[str]:
    if isinstance(found, list):
        return [name for each in found for name in _names(each)]
    if not isinstance(found, dict):
        return []
    own = [str(found["propertyName"])] if "propertyName" in found else []
    if found.get("operatorName") in ("required", "additionalProperties"):
        own += map(str, found.get("missingProperties") or found.get("additionalProperties") or ())
    deeper = (value for key, value in found.items() if key not in ("consideredValue", "failingDocumentId"))
    return own + [name for value in deeper for name in _names(value)]
