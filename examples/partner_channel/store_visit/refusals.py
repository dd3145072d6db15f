"""What the channel answers "no" to."""

from datetime import date, datetime

from core.errors import Refusal, fact


class StoreVisitNotOffered(Refusal):
    """The programme in force has no store_visit section."""

    code = "STORE_VISIT_NOT_OFFERED"
    says = "the programme in force at {at} knows no store visit"
    at: datetime = fact("The time of the request.")


class StoreVisitRecorded(Refusal):
    """It has been recorded today."""

    code = "STORE_VISIT_RECORDED"
    says = "recorded on {day} already; again from {resets_at}"
    day: date = fact("Today, in the programme's time zone.")
    resets_at: datetime | None = fact("When the next day begins.")


REFUSALS: list[type[Refusal]] = [StoreVisitNotOffered, StoreVisitRecorded]
