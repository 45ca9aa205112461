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
    BACKUPS_NOT_CONFIGURED = Kind.CONFLICT, "No repository for backups is configured"
    READ_ONLY = Kind.UNAVAILABLE, "Nothing can be changed at present"
    TICKETING_UNAVAILABLE = Kind.UNAVAILABLE, "The ticketing service cannot be reached"
    # points of interest
    POI_NOT_FOUND = Kind.NOT_FOUND, "There is no such point of interest"
    INVALID_POI = Kind.INVALID, "The point of interest contradicts itself"
    UNKNOWN_CATEGORY = Kind.INVALID, "The category tree has no such category"
    UNKNOWN_COUNTRY = Kind.INVALID, "There is no such country"
    COORDINATES_SWAPPED = Kind.INVALID, "Latitude and longitude are the other way round"
    STEP_NOT_ALLOWED = Kind.CONFLICT, "The point of interest is not in a state for this"
    POI_ARCHIVED = Kind.CONFLICT, "The point of interest is archived"
    NOTHING_TO_REVIEW = Kind.CONFLICT, "Nothing of it waits for review"
    EXTERNAL_ID_TAKEN = Kind.CONFLICT, "Another point of interest has this external id"
    UNKNOWN_MEDIA = Kind.INVALID, "The media library has no such picture"
    NOTHING_TO_RESTORE = Kind.NOT_FOUND, "There is no such version"
    NOT_A_DUPLICATE = Kind.INVALID, "The two cannot be merged"
    MERGE_NOT_FOUND = Kind.NOT_FOUND, "There is no such merge"
    MERGE_UNDONE = Kind.CONFLICT, "The merge was undone already"
    IMPORT_NOT_FOUND = Kind.NOT_FOUND, "There is no such import"
    VIEW_TOO_WIDE = Kind.INVALID, "The box is too large for this zoom"
    # sign-in
    SIGN_IN_REFUSED = Kind.UNAUTHENTICATED, "Address and password do not belong together"
    ACCOUNT_LOCKED = Kind.LOCKED, "Too many sign-ins have failed"
    CODE_REFUSED = Kind.UNAUTHENTICATED, "The code is wrong, or was used already"
    SIGN_IN_STEP_ENDED = Kind.UNAUTHENTICATED, "Sign in again from the beginning"
    SESSION_ENDED = Kind.UNAUTHENTICATED, "The session has ended"
    SESSION_NOT_FOUND = Kind.NOT_FOUND, "There is no such session"
    PASSWORD_WRONG = Kind.FORBIDDEN, "This is not your password"
    PASSWORD_TOO_SHORT = Kind.INVALID, "The password is too short"
    PASSWORD_TOO_LONG = Kind.INVALID, "The password is too long"
    PASSWORD_TOO_COMMON = Kind.INVALID, "The password is too easy to guess"
    LINK_ENDED = Kind.GONE, "The link was used, or its time is over"
    SECOND_FACTOR_NEEDED = Kind.CONFLICT, "The role needs a second factor"
    SECOND_FACTOR_ABSENT = Kind.CONFLICT, "There is no second factor to speak of"
    # users and keys
    USER_NOT_FOUND = Kind.NOT_FOUND, "There is no such user"
    EMAIL_TAKEN = Kind.CONFLICT, "Somebody has this address already"
    LAST_ADMINISTRATOR = Kind.CONFLICT, "Nobody would be left to administer the platform"
    API_KEY_NOT_FOUND = Kind.NOT_FOUND, "There is no such key"
    INVALID_API_KEY = Kind.INVALID, "The key contradicts itself"
    # around every call
    VERSION_CONFLICT = Kind.STALE, "Somebody else changed it in the meantime"
    IDEMPOTENCY_KEY_REUSED = Kind.INVALID, "The key was used for another request"
    STORE_UNAVAILABLE = Kind.UNAVAILABLE, "The data store cannot be reached"


__all__ = ["Code", "Kind", "Refused"]
