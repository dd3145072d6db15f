"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

AMBASSADOR_APPLIED: Final = "ambassador.applied"
AMBASSADOR_APPOINTED: Final = "ambassador.appointed"
AMBASSADOR_DECLINED: Final = "ambassador.declined"
AMBASSADOR_ENDED: Final = "ambassador.ended"
COMMISSION_GIVEN: Final = "commission.given"
COMMISSION_TAKEN_BACK: Final = "commission.taken_back"


class AmbassadorApplied(EventData):
    """A member wants to be an ambassador; an operator is to decide."""


class AmbassadorAppointed(EventData):
    """A member is an ambassador from now on."""


class AmbassadorDeclined(EventData):
    """An operator has declined an application."""


class AmbassadorEnded(EventData):
    """A member is no ambassador any more."""

    why: str = Field(
        description="withdrawn (the member wanted it so), ended (by an operator) or lapsed (the tier was lost, or the "
        "membership closed)."
    )


class CommissionGiven(EventData):
    """An order of somebody whom the member has brought has given them points."""

    points: int = Field(description="How many.")
    pending_days: int = Field(description="After how many days they can be spent; 0 for at once.")


class CommissionTakenBack(EventData):
    """An order came back, or a part of it, and with it what it had given."""

    points: int = Field(description="How many of the commission's points do not stand any more.")


EVENT_TYPES: Final = (
    EventType(AMBASSADOR_APPLIED, 1, AmbassadorApplied),
    EventType(AMBASSADOR_APPOINTED, 1, AmbassadorAppointed),
    EventType(AMBASSADOR_DECLINED, 1, AmbassadorDeclined),
    EventType(AMBASSADOR_ENDED, 1, AmbassadorEnded),
    EventType(COMMISSION_GIVEN, 1, CommissionGiven),
    EventType(COMMISSION_TAKEN_BACK, 1, CommissionTakenBack),
)
