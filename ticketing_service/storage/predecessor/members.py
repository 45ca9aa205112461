"""The predecessor's collections: their members, their words, and what of ours they become."""

from __future__ import annotations

from collections.abc import Mapping

from common.texts import LANGUAGES
from common.transfer.members import Kind, Member, Shape, Words, left
from ticketing_service.domain.bookings import BookingStatus, Channel, PaymentState
from ticketing_service.domain.catalogue import TicketStatus, TicketType

AUTHORIZED = PaymentState.AUTHORIZED.value

BOOKING: Words = {
    "pending": BookingStatus.ON_HOLD.value,
    "confirmed": BookingStatus.CONFIRMED.value,
    "cancelled": BookingStatus.CANCELLED.value,
    "completed": BookingStatus.REDEEMED.value,
    "no-show": BookingStatus.NO_SHOW.value,
    "expired": BookingStatus.EXPIRED.value,
}
PAYMENT: Words = {
    "pending": PaymentState.PENDING.value,
    "authorized": AUTHORIZED,
    "paid": PaymentState.CAPTURED.value,
    "failed": PaymentState.FAILED.value,
    "refunded": PaymentState.REFUNDED.value,
    "partially_refunded": PaymentState.PARTIALLY_REFUNDED.value,
}
PRODUCT: Words = {
    "ticket": TicketType.SINGLE.value,
    "tour": TicketType.GUIDED_TOUR.value,
    "excursion": TicketType.EXPERIENCE.value,
    "experience": TicketType.EXPERIENCE.value,
    "combo": TicketType.COMBO.value,
}
TICKET_TYPE: Words = {each.value: each.value for each in TicketType}
TICKET: Words = {
    "active": "good",
    "used": "used",
    "expired": "good",
    "cancelled": "ended",
    "refunded": "ended",
}
"""Whether an issued ticket is good, was used or was ended. One that expired is as good as its dates say."""

REFUND: Words = {"full": "full", "partial": "partial", "none": "none"}
SOURCE: Words = {
    "web": Channel.WEB.value,
    "mobile": Channel.WEB.value,
    "api": Channel.WEB.value,
    "admin": Channel.STAFF.value,
}
PLACE: Words = {
    "active": TicketStatus.ACTIVE.value,
    "inactive": TicketStatus.DRAFT.value,
    "pending": TicketStatus.DRAFT.value,
    "closed_temporarily": TicketStatus.DRAFT.value,
    "closed_permanently": TicketStatus.ARCHIVED.value,
}
CATEGORY: Words = {
    "attractions": "landmark",
    "beaches": "beach",
    "restaurants": "restaurant",
    "museums": "museum",
    "activities": "sports",
    "nightlife": "bar",
    "shopping": "shop",
    "hotels": "hotel",
    "transportation": "station",
    "nature": "nature",
    "cultural": "monument",
    "sports": "sports",
    "medical": "wellness",
    "services": "tourist_information",
}
"""As the admin service has them; a test holds the two equal."""

WORDS: Mapping[str, Words] = {
    "bookings.status": BOOKING,
    "bookings.payment.status": PAYMENT,
    "bookings.experience.productType": PRODUCT,
    "bookings.cancellation.refundPolicy": REFUND,
    "bookings.metadata.source": SOURCE,
    "tickets.type": TICKET_TYPE,
    "tickets.status": TICKET,
    "pois.status (its tickets)": PLACE,
}


_TEXT, _NUMBER, _WHOLE, _MOMENT, _FLAG, _ID = (
    Kind.TEXT,
    Kind.NUMBER,
    Kind.WHOLE,
    Kind.MOMENT,
    Kind.FLAG,
    Kind.ID,
)
_NO_PLACE = "nothing of ours says it"
_ACCOUNT = "accounts of visitors are not ours"
_PRIVATE = "personal data that nothing needs"
_ANEW = "counted or computed anew"
_MONGOOSE = "Mongoose's own"

POIS = Shape("pois", (
    Member("name", _TEXT, "the POI's and its tickets' title, in English", required=True),
    *(
        Member(f"translations.{each}.name", _TEXT, "the same, in that language")
        for each in LANGUAGES if each != "en"
    ),
    Member("category", _TEXT, "category", required=True, words=CATEGORY),
    Member("location.city", _TEXT, "city", required=True),
    Member("location.coordinates.coordinates", Kind.LIST, "latitude and longitude", required=True),
    Member("hours.timezone", _TEXT, "time zone of its slots", default="Europe/Madrid"),
    Member("status", _TEXT, "status of its tickets", default="active", words=PLACE),
))  # fmt: skip
"""What ticketing keeps of a POI; the admin service takes over the whole of it."""

AVAILABILITIES = Shape("availabilities", (
    Member("poiId", _ID, "the ticket of the slot", required=True),
    Member("date", _MOMENT, "local day of the slot", required=True),
    Member("timeslot", _TEXT, "local start and end; without it the slot is the day"),
    Member("capacity.total", _WHOLE, "capacity of the slot's counter", required=True),
    left("capacity.booked", _ANEW),
    left("capacity.reserved", _ANEW),
    left("capacity.available", _ANEW),
    Member("pricing.basePrice", _NUMBER, "price of the option's units, tax added", required=True),
    Member("pricing.currency", _TEXT, "currency of the ticket", default="EUR"),
    Member("pricing.dynamicPriceMultiplier", _NUMBER, "multiplier of the slot", default=1),
    left("pricing.finalPrice", _ANEW),
    Member("restrictions.minBooking", _WHOLE, "least units of the option", default=1),
    Member("restrictions.maxBooking", _WHOLE, "most units of the option", default=10),
    Member("restrictions.cutoffHours", _NUMBER, "cutoff of the ticket, from the start", default=2),
    Member("isActive", _FLAG, "whether the slot is open or closed", default=True),
    left("isSoldOut", _ANEW),
    left("partnerSync", _NO_PLACE),
    left("metadata", _NO_PLACE),
    left("createdAt", _NO_PLACE),
    left("updatedAt", _NO_PLACE),
    left("__v", _MONGOOSE),
))  # fmt: skip

BOOKINGS = Shape("bookings", (
    Member("bookingReference", _TEXT, "reference, as it is", required=True),
    left("userId", _ACCOUNT),
    Member("poiId", _ID, "the slot, with date and time", required=True),
    Member("status", _TEXT, "status, and that of its units", default="pending", words=BOOKING),
    Member("details.date", _MOMENT, "local day of the slot", required=True),
    Member("details.time", _TEXT, "local start of the slot"),
    left("details.duration", "the slot says it"),
    Member("details.guests.adults", _WHOLE, "unit items ADULT", required=True),
    Member("details.guests.children", _WHOLE, "unit items CHILD", default=0),
    Member("details.guests.infants", _WHOLE, "unit items INFANT", default=0),
    left("details.specialRequests", _NO_PLACE),
    Member("pricing.basePrice", _NUMBER, "who pays: it is a guest's, without tax", required=True),
    Member("pricing.taxes", _NUMBER, "the tax contained in the units' prices", default=0),
    Member("pricing.fees", _NUMBER, "fee", default=0),
    Member("pricing.discount", _NUMBER, "discounts of the units", default=0),
    Member("pricing.totalPrice", _NUMBER, "total, to the cent", required=True),
    Member("pricing.currency", _TEXT, "currency", default="EUR"),
    Member("pricing.commission", _NUMBER, "commissions of the units", default=0),
    Member("payment.status", _TEXT, "state of the payment", default="pending", words=PAYMENT),
    left("payment.method", _NO_PLACE),
    Member("payment.transactionId", _TEXT, "the payment module's id of the payment"),
    Member("payment.paidAt", _MOMENT, "when it was confirmed, and the day of its sale"),
    left("tickets", "the tickets name their booking"),
    Member("experience.productType", _TEXT, "ticket type", required=True, words=PRODUCT),
    left("experience.meetingPoint", _NO_PLACE),
    left("experience.duration", "the slot says it"),
    Member("experience.language", _TEXT, "language of the customer", default="en"),
    left("experience.groupSize", _NO_PLACE),
    Member("cancellation.allowCancellation", _FLAG, "whether it has a refund policy", default=True),
    Member("cancellation.cancellationDeadline", _MOMENT, "hours of the refund policy"),
    Member("cancellation.refundPolicy", _TEXT, "percent of the policy", default="full", words=REFUND),
    Member("cancellation.partialRefundPercentage", _WHOLE, "the same, and of what was refunded in part"),
    Member("cancellation.cancelledAt", _MOMENT, "when it was cancelled"),
    left("cancellation.cancelledBy", _ACCOUNT),
    Member("cancellation.cancellationReason", _TEXT, "reason in the history"),
    Member("voucher.code", _TEXT, "voucher code"),
    left("voucher.discountAmount", "the discount says it"),
    left("voucher.discountPercentage", "the discount says it"),
    left("partner", _NO_PLACE),
    left("aiContext", _NO_PLACE),
    left("reservation.isLocked", _ANEW),
    Member("reservation.lockedUntil", _MOMENT, "end of the hold; else 15 minutes after it was made"),
    left("reservation.lockId", _NO_PLACE),
    Member("guestInfo.name", _TEXT, "name of the customer", required=True),
    Member("guestInfo.email", _TEXT, "e-mail address of the customer", required=True),
    Member("guestInfo.phone", _TEXT, "telephone of the customer"),
    left("guestInfo.nationality", _PRIVATE),
    Member("metadata.source", _TEXT, "channel", default="mobile", words=SOURCE),
    left("metadata.ipAddress", _PRIVATE),
    left("metadata.userAgent", _PRIVATE),
    Member("createdAt", _MOMENT, "when it was made", required=True),
    Member("updatedAt", _MOMENT, "when it last changed", required=True),
    left("__v", _MONGOOSE),
))  # fmt: skip

TICKETS = Shape("tickets", (
    left("ticketNumber", "an admission has a code of ours"),
    Member("bookingId", _ID, "booking of the admission", required=True),
    left("userId", _ACCOUNT),
    Member("poiId", _ID, "POI of the admission, which is the booking's", required=True),
    Member("type", _TEXT, "ticket type", required=True, words=TICKET_TYPE),
    Member("validity.validFrom", _MOMENT, "from when the admission is good", required=True),
    Member("validity.validUntil", _MOMENT, "until when it is good", required=True),
    left("validity.timeslot", "the slot says it"),
    left("validity.timezone", "the slot says it"),
    left("qrCode", "an admission has a code of ours"),
    left("holder", "the booking's customer"),
    left("details.productName", "the ticket's title"),
    left("details.description", "the ticket's title"),
    Member("details.quantity", _WHOLE, "one: a ticket is for one guest", required=True),
    left("details.language", "the customer's"),
    left("details.specialRequirements", _NO_PLACE),
    Member("validation.isValidated", _FLAG, "whether there is a redemption", default=False),
    Member("validation.validatedAt", _MOMENT, "when it was redeemed"),
    Member("validation.validatedBy", _TEXT, "gate of the redemption", default="predecessor"),
    left("validation.validationLocation", "the POI of the redemption"),
    Member("status", _TEXT, "status of the unit item", default="active", words=TICKET),
    left("wallet", _NO_PLACE),
    left("metadata", _NO_PLACE),
    left("createdAt", _NO_PLACE),
    left("updatedAt", _NO_PLACE),
    left("__v", _MONGOOSE),
))  # fmt: skip

SHAPES = (POIS, AVAILABILITIES, BOOKINGS, TICKETS)
