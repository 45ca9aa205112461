"""Every refusal that the business knows, each with a code that clients may rely on."""

from __future__ import annotations

from common.refusals import Kind, RefusalCode, Refused


class Code(RefusalCode):
    """`CODE = (kind, title)`. The name is the promise, the title is for people."""

    # catalogue and slots
    TICKET_NOT_FOUND = Kind.NOT_FOUND, "There is no such ticket"
    SLOT_NOT_FOUND = Kind.NOT_FOUND, "There is no such slot"
    INVALID_TICKET = Kind.INVALID, "The ticket contradicts itself"
    UNKNOWN_POI = Kind.INVALID, "The point of interest is not known here"
    UNKNOWN_OPTION = Kind.INVALID, "The ticket has no such option"
    UNKNOWN_UNIT = Kind.INVALID, "The option has no such unit"
    INVALID_PERIOD = Kind.INVALID, "The period is too long or ends before it begins"
    INVALID_SCHEDULE = Kind.INVALID, "The schedule cannot be read"
    VERSION_CONFLICT = Kind.STALE, "Somebody else changed it in the meantime"
    TICKET_ARCHIVED = Kind.CONFLICT, "The ticket is archived"
    CAPACITY_BELOW_TAKEN = Kind.CONFLICT, "The capacity would fall below what is held or sold"
    SLOT_CANCELLED = Kind.CONFLICT, "The slot was cancelled"
    CAPACITY_SHARED = Kind.CONFLICT, "The slot draws on several shared capacities"
    # a sale
    SOLD_OUT = Kind.CONFLICT, "Not enough places are left"
    SLOT_CLOSED = Kind.CONFLICT, "The slot is closed"
    CUTOFF_PASSED = Kind.CONFLICT, "Sales for the slot have ended"
    TICKET_NOT_ON_SALE = Kind.CONFLICT, "The ticket is not on sale"
    TOO_FEW_UNITS = Kind.INVALID, "Fewer units than one may book"
    TOO_MANY_UNITS = Kind.INVALID, "More units than one may book"
    UNIT_RESTRICTED = Kind.INVALID, "The unit cannot be booked like this"
    MIXED_CURRENCIES = Kind.INVALID, "One booking has one currency"
    PRICE_CHANGED = Kind.CONFLICT, "The price is not the expected one"
    TOO_MANY_HOLDS = Kind.TOO_MANY, "Too many unpaid bookings stand open"
    RETURN_URL_NOT_ALLOWED = Kind.INVALID, "The return address is not one of those allowed"
    # vouchers
    VOUCHER_NOT_FOUND = Kind.NOT_FOUND, "There is no such voucher"
    VOUCHER_UNKNOWN = Kind.INVALID, "The voucher code is not known"
    VOUCHER_NOT_VALID = Kind.CONFLICT, "The voucher is not valid now or not for this"
    VOUCHER_EXHAUSTED = Kind.CONFLICT, "The voucher has no use left"
    INVALID_VOUCHER = Kind.INVALID, "The voucher contradicts itself"
    VOUCHER_CODE_TAKEN = Kind.CONFLICT, "A voucher of this code exists"
    VOUCHER_BELOW_USED = Kind.CONFLICT, "The limit would fall below the uses that are taken"
    # resellers
    RESELLER_NOT_FOUND = Kind.NOT_FOUND, "There is no such reseller"
    RESELLER_INACTIVE = Kind.FORBIDDEN, "The reseller may make no booking at present"
    CREDIT_EXHAUSTED = Kind.CONFLICT, "The credit of the reseller does not suffice"
    CREDIT_BELOW_USED = Kind.CONFLICT, "The credit would fall below what is used of it"
    TICKET_NOT_ALLOWED = Kind.FORBIDDEN, "The reseller does not sell this ticket"
    RESALE_UUID_TAKEN = Kind.CONFLICT, "The reseller has used the uuid for another booking"
    CONTACT_REQUIRED = Kind.CONFLICT, "Whom the booking is for must be known before it is confirmed"
    API_KEY_NOT_FOUND = Kind.NOT_FOUND, "There is no such key"
    INVALID_API_KEY = Kind.INVALID, "The key contradicts itself"
    # webhooks
    SUBSCRIPTION_NOT_FOUND = Kind.NOT_FOUND, "There is no such subscription"
    TOO_MANY_SUBSCRIPTIONS = Kind.CONFLICT, "There are as many subscriptions as there may be"
    WEBHOOK_URL_NOT_ALLOWED = Kind.INVALID, "Nothing is delivered to this address"
    DELIVERY_NOT_FOUND = Kind.NOT_FOUND, "There is no such delivery"
    DELIVERY_NOT_DEAD = Kind.CONFLICT, "The delivery was not given up"
    # the life of a booking
    BOOKING_NOT_FOUND = Kind.NOT_FOUND, "There is no such booking"
    BOOKING_EXPIRED = Kind.GONE, "The hold has ended"
    BOOKING_CANCELLED = Kind.CONFLICT, "The booking is cancelled"
    BOOKING_NOT_ON_HOLD = Kind.CONFLICT, "The booking is not on hold any more"
    TOTAL_RISES = Kind.CONFLICT, "What was sold changes only where its total does not rise"
    EXTENSION_LIMIT = Kind.CONFLICT, "The hold cannot be extended any further"
    CANCELLATION_CLOSED = Kind.CONFLICT, "It is too late to cancel"
    UNIT_ITEM_UNKNOWN = Kind.INVALID, "The booking has no such unit item"
    UNIT_ITEM_NOT_CANCELLABLE = Kind.CONFLICT, "The unit item was used or is cancelled already"
    # payment
    PAYMENT_REQUIRED = Kind.CONFLICT, "The booking is not paid"
    PAYMENT_PENDING = Kind.CONFLICT, "The payment is not decided yet"
    PAYMENT_NOT_NEEDED = Kind.CONFLICT, "There is nothing to pay"
    PAYMENT_UNAVAILABLE = Kind.UNAVAILABLE, "The payment module cannot be reached"
    PAYMENT_MISMATCH = Kind.CONFLICT, "The payment is not one for this booking"
    SIGNATURE_INVALID = Kind.UNAUTHENTICATED, "The signature is missing, wrong or too old"
    # the gate
    ADMISSION_NOT_FOUND = Kind.NOT_FOUND, "There is no such admission"
    ADMISSIONS_NOT_READY = Kind.CONFLICT, "The booking has no admissions yet"
    DOCUMENT_PENDING = Kind.UNAVAILABLE, "The document is being made"
    CODE_UNREADABLE = Kind.INVALID, "This is not one of our admission codes"
    CODE_FORGED = Kind.INVALID, "The signature of the code is not ours"
    ALREADY_REDEEMED = Kind.CONFLICT, "This entry was used already"
    ADMISSION_CANCELLED = Kind.CONFLICT, "The admission was cancelled"
    ADMISSION_EXPIRED = Kind.CONFLICT, "The admission's time is over"
    ADMISSION_NOT_YET_VALID = Kind.CONFLICT, "The admission is for a later time"
    ADMISSION_WRONG_DAY = Kind.CONFLICT, "The admission is for another day"
    ADMISSION_WRONG_POI = Kind.CONFLICT, "The admission is for another place"
    SCAN_TIME_INVALID = Kind.INVALID, "The scan is from the future or too old"
    TEST = Kind.CONFLICT, "The admission is a test and lets nobody in"
    POI_NOT_ALLOWED = Kind.FORBIDDEN, "The credential is limited to other places"
    # around every call
    MAINTENANCE = Kind.UNAVAILABLE, "The platform is closed for maintenance"
    READ_ONLY = Kind.UNAVAILABLE, "Nothing can be changed at present"
    IDEMPOTENCY_KEY_REUSED = Kind.INVALID, "The key was used for another request"
    STORE_UNAVAILABLE = Kind.UNAVAILABLE, "The data store cannot be reached"


__all__ = ["Code", "Kind", "Refused"]
