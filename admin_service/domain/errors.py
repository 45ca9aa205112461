"""Every refusal that the business knows, each with a code that clients may rely on."""

from __future__ import annotations

from common.refusals import Kind, RefusalCode, Refused


class Code(RefusalCode):
    """`CODE = (kind, title)`. The name is the promise, the title is for people."""

    # around every call
    VERSION_CONFLICT = Kind.STALE, "Somebody else changed it in the meantime"
    IDEMPOTENCY_KEY_REUSED = Kind.INVALID, "The key was used for another request"
    STORE_UNAVAILABLE = Kind.UNAVAILABLE, "The data store cannot be reached"


__all__ = ["Code", "Kind", "Refused"]
