"""Every refusal that the business knows, each with a code that clients may rely on."""

from __future__ import annotations

from common.refusals import Kind, RefusalCode, Refused


class Code(RefusalCode):
    """`CODE = (kind, title)`. The name is the promise, the title is for people."""

    # media
    MEDIA_NOT_FOUND = Kind.NOT_FOUND, "There is no such medium"
    MEDIA_NOT_YOURS = Kind.FORBIDDEN, "The medium was uploaded by somebody else"
    MEDIA_IN_USE = Kind.CONFLICT, "The medium is used"
    MEDIA_BUSY = Kind.CONFLICT, "The same file is being removed"
    QUOTA_EXCEEDED = Kind.CONFLICT, "The media would take more room than there is"
    ATTRIBUTION_MISSING = Kind.INVALID, "The licence asks for the author's name"
    STORAGE_UNAVAILABLE = Kind.UNAVAILABLE, "The storage of media cannot be reached"
    # configuration
    REVISION_NOT_FOUND = Kind.NOT_FOUND, "There is no such revision of the configuration"
    CONFIG_CONTRADICTION = Kind.INVALID, "The values contradict each other"
    # system
    JOB_NOT_FOUND = Kind.NOT_FOUND, "No job of that id was given up"
    READ_ONLY = Kind.UNAVAILABLE, "Nothing can be changed at present"
    TICKETING_UNAVAILABLE = Kind.UNAVAILABLE, "The ticketing service cannot be reached"
    # around every call
    VERSION_CONFLICT = Kind.STALE, "Somebody else changed it in the meantime"
    IDEMPOTENCY_KEY_REUSED = Kind.INVALID, "The key was used for another request"
    STORE_UNAVAILABLE = Kind.UNAVAILABLE, "The data store cannot be reached"


__all__ = ["Code", "Kind", "Refused"]
