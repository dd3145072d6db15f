"""How many points members may give each other."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

from pydantic import Field

from core.channels.limits import Limits
from core.rulebook.programme import ChannelSettings
from core.units import AMOUNT_MAX
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "gift"


class GiftSettings(ChannelSettings):
    """The programme's section ``channels: gift:``. Without it nobody gives.

    ``least`` is the smallest gift; ``limits`` are the points that a member may give away, not the number of gifts.
    """

    called = ("Gift", "转赠")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "points_given": TallyWords(
                "1 point given away", "{n} points given away", "赠出 {n} 积分", ("points given away", "赠出的积分")
            )
        }
    )

    least: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] = 1
    limits: Limits = Limits()

    def says(self, words: Words) -> Iterable[Said]:
        most = words.most(self.limits.day, self.limits.month, self.limits.lifetime)
        least = words.points(self.least)
        text = (
            words.say(
                "You can give points to other members: {least} or more at a time, {most} at most.",
                "可向其他会员赠送积分：每次{least}起，上限{most}。", least=least, most=most,
            )
            if most
            else words.say(
                "You can give points to other members, {least} or more at a time.",
                "可向其他会员赠送积分，每次{least}起。", least=least,
            )
        )  # fmt: skip
        yield Said(Topic.SPENDING, text, ("limits",))
