"""The channel's section of the programme, and the codes that stand in links."""

import hashlib
import re
from base64 import b32encode
from collections.abc import Collection, Iterable
from typing import Annotated, ClassVar, Final

from pydantic import Field

from core.channels.limits import Limits
from core.rulebook.document import Section
from core.rulebook.programme import ChannelSettings, Path
from core.rulebook.rules import Budget
from core.units import AMOUNT_MAX, POINTS
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "share"
SHARES: Final = "shares"

CODE: Final = re.compile(r"[a-z2-7]{16}", re.ASCII)


class Proof(Section):
    """A share is rewarded only when somebody has come by its code within ``days``.

    ``open`` is how many shares of a member may wait for that at a time.
    """

    days: Annotated[int, Field(strict=True, ge=1, le=366)] = 7
    open: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20


class ShareSettings(ChannelSettings):
    """The programme's section ``channels: share:``: ``points`` a time, as often as ``limits`` allow.

    All members together get what ``budget`` has.
    """

    called = ("Share", "分享")

    wording: ClassVar[Wording] = Wording(
        tallies={SHARES: TallyWords("a share", "{n} shares", "分享 {n} 次", ("shares", "分享次数"), "分享")}
    )

    points: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    limits: Limits = Limits()
    budget: Budget = Budget()
    proof: Proof | None = None

    def adds_to(self) -> Collection[str]:
        return {f"{POINTS}_earned", SHARES}

    def mints(self) -> Iterable[Path]:
        if self.limits == Limits() and not self.budget.is_limited:
            yield ("points",)

    def says(self, words: Words) -> Iterable[Said]:
        limits = words.limits(self.limits.day, self.limits.month, self.limits.lifetime)
        points = words.points(self.points)
        text = (
            words.say(
                "Each share earns {points}, {limits} at most.",
                "每次分享得{points}，{limits}为限。",
                points=points,
                limits=limits,
            )
            if limits
            else words.say("Each share earns {points}.", "每次分享得{points}。", points=points)
        )
        yield Said(Topic.EARNING, text, ("points",))
        if self.proof is not None:
            text = words.say(
                "A share earns when somebody has come by its link within {days}.", "须在{days}内有人通过链接访问。",
                days=words.days(self.proof.days),
            )  # fmt: skip
            yield Said(Topic.EARNING, text, ("proof",))
        if shared := words.budget(self.budget):
            yield Said(Topic.EARNING, shared, ("budget",))


def code_of(operation_id: str) -> str:
    """The code of the share that this operation records: as hard to guess as the operation's id, and without it.

    >>> code_of("0197-an-operation")
    'bnnnnjn2c3vvvbyz'
    """
    return b32encode(hashlib.blake2b(f"share:{operation_id}".encode(), digest_size=10).digest()).decode().lower()
