"""The predecessor's collections: their members, their words, and what of ours they become."""

from __future__ import annotations

from collections.abc import Mapping

from common.texts import LANGUAGES
from common.transfer.members import Kind, Member, Shape, Words
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
TICKET: Words = {"active": "good", "used": "used", "expired": "good", "cancelled": "ended", "refunded": "ended"}
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
    "pois.status": PLACE,
}


def _left(path: str, why: str) -> Member:
    return Member(path=path, kind=Kind.ANY, becomes=why, left=True)


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
    Member(path="name", kind=_TEXT, required=True, becomes="the POI's and its tickets' title, in English"),
    *(
        Member(path=f"translations.{each}.name", kind=_TEXT, becomes="the same, in that language")
        for each in LANGUAGES if each != "en"
    ),
    Member(path="category", kind=_TEXT, required=True, words=CATEGORY, becomes="category"),
    Member(path="location.city", kind=_TEXT, required=True, becomes="city"),
    Member(
        path="location.coordinates.coordinates", kind=Kind.LIST, required=True,
        becomes="latitude and longitude, to seven decimals",
    ),
    Member(path="hours.timezone", kind=_TEXT, default="Europe/Madrid", becomes="time zone of its slots"),
    Member(path="status", kind=_TEXT, default="active", words=PLACE, becomes="status of its tickets"),
))  # fmt: skip
"""What ticketing keeps of a POI; the admin service takes over the whole of it."""

AVAILABILITIES = Shape("availabilities", (
    Member(path="poiId", kind=_ID, required=True, becomes="the ticket of the slot"),
    Member(path="date", kind=_MOMENT, required=True, becomes="local day of the slot"),
    Member(path="timeslot", kind=_TEXT, becomes="local start and end; without it the slot is the day"),
    Member(path="capacity.total", kind=_WHOLE, required=True, becomes="capacity of the slot's counter"),
    _left("capacity.booked", _ANEW),
    _left("capacity.reserved", _ANEW),
    _left("capacity.available", _ANEW),
    Member(path="pricing.basePrice", kind=_NUMBER, required=True, becomes="price of the option's units, tax added"),
    Member(path="pricing.currency", kind=_TEXT, default="EUR", becomes="currency of the ticket"),
    Member(path="pricing.dynamicPriceMultiplier", kind=_NUMBER, default=1, becomes="multiplier of the slot"),
    _left("pricing.finalPrice", _ANEW),
    Member(path="restrictions.minBooking", kind=_WHOLE, default=1, becomes="least units of the option"),
    Member(path="restrictions.maxBooking", kind=_WHOLE, default=10, becomes="most units of the option"),
    Member(path="restrictions.cutoffHours", kind=_NUMBER, default=2, becomes="cutoff of the ticket, from the start"),
    Member(path="isActive", kind=_FLAG, default=True, becomes="whether the slot is open or closed"),
    _left("isSoldOut", _ANEW),
    _left("partnerSync", _NO_PLACE),
    _left("metadata", _NO_PLACE),
    _left("createdAt", _NO_PLACE),
    _left("updatedAt", _NO_PLACE),
    _left("__v", _MONGOOSE),
))  # fmt: skip

BOOKINGS = Shape("bookings", (
    Member(path="bookingReference", kind=_TEXT, required=True, becomes="reference, as it is"),
    _left("userId", _ACCOUNT),
    Member(path="poiId", kind=_ID, required=True, becomes="the slot, with date and time"),
    Member(path="status", kind=_TEXT, default="pending", words=BOOKING, becomes="status, and that of its units"),
    Member(path="details.date", kind=_MOMENT, required=True, becomes="local day of the slot"),
    Member(path="details.time", kind=_TEXT, becomes="local start of the slot"),
    _left("details.duration", "the slot says it"),
    Member(path="details.guests.adults", kind=_WHOLE, required=True, becomes="unit items ADULT"),
    Member(path="details.guests.children", kind=_WHOLE, default=0, becomes="unit items CHILD"),
    Member(path="details.guests.infants", kind=_WHOLE, default=0, becomes="unit items INFANT"),
    _left("details.specialRequests", _NO_PLACE),
    Member(path="pricing.basePrice", kind=_NUMBER, required=True, becomes="who pays: it is a guest's, without tax"),
    Member(path="pricing.taxes", kind=_NUMBER, default=0, becomes="the tax contained in the units' prices"),
    Member(path="pricing.fees", kind=_NUMBER, default=0, becomes="fee"),
    Member(path="pricing.discount", kind=_NUMBER, default=0, becomes="discounts of the units"),
    Member(path="pricing.totalPrice", kind=_NUMBER, required=True, becomes="total, to the cent"),
    Member(path="pricing.currency", kind=_TEXT, default="EUR", becomes="currency"),
    Member(path="pricing.commission", kind=_NUMBER, default=0, becomes="commissions of the units"),
    Member(path="payment.status", kind=_TEXT, default="pending", words=PAYMENT, becomes="state of the payment"),
    _left("payment.method", _NO_PLACE),
    Member(path="payment.transactionId", kind=_TEXT, becomes="the payment module's id of the payment"),
    Member(path="payment.paidAt", kind=_MOMENT, becomes="when it was confirmed, and the day of its sale"),
    _left("tickets", "the tickets name their booking"),
    Member(path="experience.productType", kind=_TEXT, required=True, words=PRODUCT, becomes="ticket type"),
    _left("experience.meetingPoint", _NO_PLACE),
    _left("experience.duration", "the slot says it"),
    Member(path="experience.language", kind=_TEXT, default="en", becomes="language of the customer"),
    _left("experience.groupSize", _NO_PLACE),
    Member(path="cancellation.allowCancellation", kind=_FLAG, default=True, becomes="whether it has a refund policy"),
    Member(path="cancellation.cancellationDeadline", kind=_MOMENT, becomes="hours of the refund policy"),
    Member(
        path="cancellation.refundPolicy", kind=_TEXT, default="full", words=REFUND, becomes="percent of the policy"
    ),
    Member(
        path="cancellation.partialRefundPercentage", kind=_WHOLE, becomes="the same, and of what was refunded in part"
    ),
    Member(path="cancellation.cancelledAt", kind=_MOMENT, becomes="when it was cancelled"),
    _left("cancellation.cancelledBy", _ACCOUNT),
    Member(path="cancellation.cancellationReason", kind=_TEXT, becomes="reason in the history"),
    Member(path="voucher.code", kind=_TEXT, becomes="voucher code"),
    _left("voucher.discountAmount", "the discount says it"),
    _left("voucher.discountPercentage", "the discount says it"),
    _left("partner", _NO_PLACE),
    _left("aiContext", _NO_PLACE),
    _left("reservation.isLocked", _ANEW),
    Member(path="reservation.lockedUntil", kind=_MOMENT, becomes="end of the hold; else 15 minutes after it was made"),
    _left("reservation.lockId", _NO_PLACE),
    Member(path="guestInfo.name", kind=_TEXT, required=True, becomes="name of the customer"),
    Member(path="guestInfo.email", kind=_TEXT, required=True, becomes="e-mail address of the customer"),
    Member(path="guestInfo.phone", kind=_TEXT, becomes="telephone of the customer"),
    _left("guestInfo.nationality", _PRIVATE),
    Member(path="metadata.source", kind=_TEXT, default="mobile", words=SOURCE, becomes="channel"),
    _left("metadata.ipAddress", _PRIVATE),
    _left("metadata.userAgent", _PRIVATE),
    Member(path="createdAt", kind=_MOMENT, required=True, becomes="when it was made"),
    Member(path="updatedAt", kind=_MOMENT, required=True, becomes="when it last changed"),
    _left("__v", _MONGOOSE),
))  # fmt: skip

TICKETS = Shape("tickets", (
    _left("ticketNumber", "an admission has a code of ours"),
    Member(path="bookingId", kind=_ID, required=True, becomes="booking of the admission"),
    _left("userId", _ACCOUNT),
    Member(path="poiId", kind=_ID, required=True, becomes="POI of the admission, which is the booking's"),
    Member(path="type", kind=_TEXT, required=True, words=TICKET_TYPE, becomes="ticket type"),
    Member(path="validity.validFrom", kind=_MOMENT, required=True, becomes="from when the admission is good"),
    Member(path="validity.validUntil", kind=_MOMENT, required=True, becomes="until when it is good"),
    _left("validity.timeslot", "the slot says it"),
    _left("validity.timezone", "the slot says it"),
    _left("qrCode", "an admission has a code of ours"),
    _left("holder", "the booking's customer"),
    _left("details.productName", "the ticket's title"),
    _left("details.description", "the ticket's title"),
    Member(path="details.quantity", kind=_WHOLE, required=True, becomes="one: a ticket is for one guest"),
    _left("details.language", "the customer's"),
    _left("details.specialRequirements", _NO_PLACE),
    Member(path="validation.isValidated", kind=_FLAG, default=False, becomes="whether there is a redemption"),
    Member(path="validation.validatedAt", kind=_MOMENT, becomes="when it was redeemed"),
    Member(path="validation.validatedBy", kind=_TEXT, default="predecessor", becomes="gate of the redemption"),
    _left("validation.validationLocation", "the POI of the redemption"),
    Member(path="status", kind=_TEXT, default="active", words=TICKET, becomes="status of the unit item"),
    _left("wallet", _NO_PLACE),
    _left("metadata", _NO_PLACE),
    _left("createdAt", _NO_PLACE),
    _left("updatedAt", _NO_PLACE),
    _left("__v", _MONGOOSE),
))  # fmt: skip

SHAPES = (POIS, AVAILABILITIES, BOOKINGS, TICKETS)
