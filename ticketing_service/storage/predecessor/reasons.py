"""Why a document of the predecessor cannot be one of ours, beyond the kinds of its members."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """As it is listed."""

    TIME_ZONE = "hours.timezone: no zone of the IANA database"
    COORDINATES = "location.coordinates: no place on earth"
    CURRENCY = "currency: not three capital letters, or not of hundredths"
    DAY = "date: midnight neither in UTC nor at the POI"
    TIME = "time: not HH:MM, or a timeslot that is not HH:MM-HH:MM"
    NO_POI = "poiId: leads to no POI that could be taken over"
    TWICE = "another availability of the POI begins at the same time"
    RANGE = "a number that cannot be: a negative price or capacity, a multiplier outside of 0.5 to 3"
    CUTOFF = "cutoffHours: not a whole number of minutes"
    OVERBOOKED = "more guests are booked than there are places"
    NO_SLOT = "leads to no availability that could be taken over"
    GUESTS = "guests: none, less than none, or more than 400"
    SUM = "pricing: the total is not what its parts come to"
    DISCOUNT = "pricing: a negative part, or a discount above the price"
    LANGUAGE = "experience.language: none of ours"
    AUTHORIZED = "payment: authorised, but not paid"
    UNPAID = "it stands, but is not paid"
    NO_TRANSACTION = "paid, without a transactionId"
    PAID_IN_VAIN = "paid, but pending or expired"
    PARTLY = "refunded in part, without a partialRefundPercentage"
    TICKET_COUNT = "not one ticket for each guest"
    TICKET_STATUS = "a ticket says otherwise than its booking"
    TICKET_DATES = "a ticket ends before it begins, or was used at no known time"
    NO_BOOKING = "bookingId: leads to no booking that could be taken over"


REMEDIES: Mapping[Reason, str] = {
    Reason.TIME_ZONE: "write the zone, such as `Europe/Amsterdam`",
    Reason.COORDINATES: "write `[longitude, latitude]`",
    Reason.CURRENCY: "write `EUR`",
    Reason.DAY: "write the midnight that is meant",
    Reason.TIME: "write it like `09:00`, a timeslot like `09:00-10:30`",
    Reason.NO_POI: "bring the POI back, or put right what is listed of it",
    Reason.TWICE: "move the bookings to one of the two, and delete the other",
    Reason.RANGE: "put the number right",
    Reason.CUTOFF: "write a number of hours such as 2 or 0.5",
    Reason.OVERBOOKED: "somebody decides: cancel bookings, or raise `capacity.total` to what is sold",
    Reason.NO_SLOT: "bring the availability back, with `isActive: false`",
    Reason.GUESTS: "put the numbers right",
    Reason.SUM: "put the price right; what was paid is `totalPrice`",
    Reason.DISCOUNT: "put the price right",
    Reason.LANGUAGE: "write en, es, de, nl or fr",
    Reason.AUTHORIZED: "capture or void it at the payment module, then write `paid` or `failed`",
    Reason.UNPAID: "look at the payment module: write `paid`, or cancel the booking",
    Reason.NO_TRANSACTION: "write the id that the payment module has for it",
    Reason.PAID_IN_VAIN: "confirm the booking, or give the money back and write `refunded`",
    Reason.PARTLY: "write the percentage of the total that was given back",
    Reason.TICKET_COUNT: "issue or delete tickets: one for each guest of what stands",
    Reason.TICKET_STATUS: "put the one or the other right",
    Reason.TICKET_DATES: "put the dates right",
    Reason.NO_BOOKING: "bring the booking back, or delete the ticket",
}
