"""The channel's section of the programme, and how a code is written. Everything is pure."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from core.channels import codes
from core.rulebook.document import Count, QuotedDecimal
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Budget
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "referral"

Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class ReferralSettings(ChannelSettings):
    """The programme's section ``channels: referral:``.

    ``inviter`` and ``invitee`` are paid for the friend's first order of ``order_at_least`` in money, at the latest
    ``complete_days`` after the code was accepted, and can be spent after ``pending_days``. A code can be accepted up to
    ``accept_days`` after joining, by at most ``a_month`` friends of one inviter, and for ``code_days`` once it was
    issued. With ``partial_refund: minimum`` both bonuses go when what is left of the order is below ``order_at_least``.
    Inviters and invitees together get what ``budget`` has.
    """

    called = ("Friends brought", "邀请好友")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "referrals": TallyWords(
                "a friend who has bought",
                "{n} friends who have bought",
                "成功邀请好友 {n} 位",
                ("friends who have bought", "成功邀请的好友数"),
                "邀请好友",
            )
        }
    )

    inviter: Count
    invitee: Count
    order_at_least: QuotedDecimal | None = None
    accept_days: Days = 30
    complete_days: Days | None = None
    pending_days: Days | None = None
    code_days: Days | None = None
    a_month: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    partial_refund: Literal["keep", "minimum"] = "keep"
    budget: Budget = Budget()

    def says(self, words: Words) -> Iterable[Said]:
        order = words.say("first order", "首笔订单")
        if self.order_at_least is not None:
            order = words.say(
                "first order of {least} or more", "首笔满{least}的订单", least=words.money(self.order_at_least)
            )
        text = words.say(
            "Bring a friend: with your friend's {order} you get {inviter} and your friend {invitee}.",
            "邀请好友：好友完成{order}后，您得{inviter}，好友得{invitee}。",
            order=order, inviter=words.points(self.inviter), invitee=words.points(self.invitee),
        )  # fmt: skip
        yield Said(Topic.EARNING, text, ("inviter",))
        text = words.say(
            "Your friend enters your code within {days} of joining.", "好友须在入会{days}内填写您的邀请码。",
            days=words.days(self.accept_days),
        )  # fmt: skip
        yield Said(Topic.EARNING, text, ("accept_days",))
        if self.complete_days is not None:
            days = words.days(self.complete_days)
            text = words.say("The order comes within {days} after that.", "须在此后{days}内完成该订单。", days=days)
            yield Said(Topic.EARNING, text, ("complete_days",))
        if self.pending_days is not None:
            days = words.days(self.pending_days)
            text = words.say("Both can spend it {days} later.", "双方所得{days}后可用。", days=days)
            yield Said(Topic.EARNING, text, ("pending_days",))
        if self.code_days is not None:
            text = words.say("A code is good for {days}.", "邀请码{days}内有效。", days=words.days(self.code_days))
            yield Said(Topic.EARNING, text, ("code_days",))
        if self.a_month is not None:
            text = words.count(
                self.a_month,
                "You can bring {n} friend a month.",
                "You can bring {n} friends a month.",
                "每月最多邀请 {n} 位好友。",
            )
            yield Said(Topic.EARNING, text, ("a_month",))
        if shared := words.budget(self.budget):
            yield Said(Topic.EARNING, shared, ("budget",))


_LENGTH: Final = 10


def code_of(member_id: str, number: int = 0) -> str:
    """A member's code, the same each time. ``number`` counts up where somebody else has the code already."""
    return codes.code_of(f"{member_id}:{number}", _LENGTH)


def read_code(given: str) -> str | None:
    """The code as it is stored, however it was typed; None if it cannot be one."""
    return codes.read_code(given, _LENGTH)


def month_number(day: date) -> int:
    """The month as it is stored.

    >>> month_number(date(2026, 6, 30))
    202606
    """
    return day.year * 100 + day.month
