"""What the birthday channel answers "no" to."""

from datetime import date, datetime

from core.errors import Refusal, fact


class BirthdaysNotOffered(Refusal):
    """The programme in force has no birthday section."""

    code = "BIRTHDAYS_NOT_OFFERED"
    says = "the programme in force at {at} knows no birthdays"
    says_zh = "{at} 生效的规则没有生日礼遇"
    at: datetime = fact("The time of the request.")


class BirthdayUnknown(Refusal):
    """Nobody knows the member's birthday."""

    code = "BIRTHDAY_UNKNOWN"
    says = "the member's birthday is not known"
    says_zh = "未登记该会员的生日"


class NotTheBirthday(Refusal):
    """The gift can be had later."""

    code = "NOT_THE_BIRTHDAY"
    says = "the gift can be had from {opens_on} to {closes_on}"
    says_zh = "生日礼可在 {opens_on} 至 {closes_on} 领取"
    opens_on: date = fact("The first day on which it can be had, in the programme's time zone.")
    closes_on: date = fact("The last day.")


class BirthdayGiftAlreadyGiven(Refusal):
    """The gift was given already: there is one a year, whatever becomes of the birthday."""

    code = "BIRTHDAY_GIFT_ALREADY_GIVEN"
    says = "the gift was given at {given_at}, the next can be had from {opens_on}"
    says_zh = "生日礼已于 {given_at} 发放，下一次自 {opens_on} 起"
    given_at: datetime = fact("When it was given.")
    opens_on: date = fact("The first day on which the next one can be had.")


class MemberTooNew(Refusal):
    """The member joined too lately for a gift."""

    code = "MEMBER_TOO_NEW"
    says = "gifts are for members of {days} days"
    says_zh = "入会满 {days} 天的会员方可领取"
    days: int = fact("For how long one must have been a member.")
    enrolled_at: datetime = fact("When the member joined.")


class BirthdayChangedLately(Refusal):
    """A birthday can be changed once a year."""

    code = "BIRTHDAY_CHANGED_LATELY"
    says = "the birthday was changed at {changed_at}, and can be changed again from {opens_at}"
    says_zh = "生日已于 {changed_at} 修改，{opens_at} 后可再次修改"
    changed_at: datetime = fact("When it was changed.")
    opens_at: datetime = fact("When it can be changed again.")


REFUSALS: list[type[Refusal]] = [
    BirthdaysNotOffered,
    BirthdayUnknown,
    NotTheBirthday,
    BirthdayGiftAlreadyGiven,
    MemberTooNew,
    BirthdayChangedLately,
]
