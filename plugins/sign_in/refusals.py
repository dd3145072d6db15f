"""What the sign-in channel answers "no" to."""

from datetime import date, datetime

from core.errors import Refusal, fact


class SignInNotOffered(Refusal):
    """The programme in force has no sign_in section."""

    code = "SIGN_IN_NOT_OFFERED"
    says = "the programme in force at {at} knows no sign-in"
    says_zh = "{at} 生效的规则没有签到"
    at: datetime = fact("The time of the visit.")


class AlreadySignedIn(Refusal):
    """The member has signed in today."""

    code = "ALREADY_SIGNED_IN"
    says = "signed in on {day} already; again from {resets_at}"
    says_zh = "{day} 已签到；{resets_at} 后可再次签到"
    day: date = fact("Today, in the programme's time zone.")
    streak: int = fact("The unbroken days up to and including today.")
    resets_at: datetime | None = fact("When the next day begins.")


class MakeUpNotOffered(Refusal):
    """The programme in force lets nobody make up a missed day."""

    code = "MAKE_UP_NOT_OFFERED"
    says = "the programme in force at {at} lets nobody make up a missed day"
    says_zh = "{at} 生效的规则不支持补签"
    at: datetime = fact("The time of the request.")


class DayNotMissed(Refusal):
    """The member signed in on that day, or has made it up."""

    code = "DAY_NOT_MISSED"
    says = "{day} was not missed"
    says_zh = "{day} 并未漏签"
    day: date = fact("The day that was to be made up.")


class DayOutOfReach(Refusal):
    """The day is not over, lies too far back, or before the membership."""

    code = "DAY_OUT_OF_REACH"
    says = "{day} is not between {earliest} and {latest}"
    says_zh = "{day} 不在 {earliest} 至 {latest} 之间"
    day: date = fact("The day that was to be made up.")
    earliest: date = fact("The earliest day that can be made up today.")
    latest: date = fact("The latest: yesterday.")


class MakeUpsUsedUp(Refusal):
    """The member has made up as many days this month as the programme allows."""

    code = "MAKE_UPS_USED_UP"
    says = "{limit} day(s) a month can be made up; again from {resets_at}"
    says_zh = "每月可补签 {limit} 天；{resets_at} 后可再次补签"
    limit: int = fact("How many days can be made up in a month.")
    resets_at: datetime | None = fact("When the next month begins.")


REFUSALS: list[type[Refusal]] = [
    SignInNotOffered,
    AlreadySignedIn,
    MakeUpNotOffered,
    DayNotMissed,
    DayOutOfReach,
    MakeUpsUsedUp,
]
