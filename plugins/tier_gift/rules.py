"""What reaching a tier brings. All of it is pure."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from core.channels.coupons import unknown_coupons
from core.channels.gifts import Gift
from core.ladder.benefits import Benefit, BenefitKind, BenefitPeriod
from core.ladder.tiers import Ladder
from core.rulebook.budgets import NamedBudget
from core.rulebook.document import Identifier
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme, unknown_tiers
from core.units import POINTS
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "tier_gift"


class TierGiftSettings(ChannelSettings):
    """The programme's section ``channels: tier_gift:``.

    ``gifts`` are by tier. Who rises several tiers at once gets the gift of each, or with ``skipped: false`` that of
    the one reached. A tier's gift is given once in a life, or with ``again`` each time that the tier is reached.
    """

    called = ("Gift of the tier", "等级礼遇")

    gifts: Annotated[dict[Identifier, Gift], Field(min_length=1, max_length=20)]
    skipped: Annotated[bool, Field(strict=True)] = True
    again: Annotated[bool, Field(strict=True)] = False

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        return (each for tier, gift in self.gifts.items() for each in gift.budgets_of(f"{channel}:{tier}"))

    def check(self, programme: Programme) -> Iterable[Misfit]:
        yield from unknown_tiers(programme, [(("gifts", tier), tier) for tier in self.gifts])
        if programme.tiers is not None and programme.tiers.entry in self.gifts:
            yield Misfit(("gifts", programme.tiers.entry), "everybody begins there; nobody reaches it")
        named: list[tuple[Path, str]] = [
            (("gifts", tier, "coupons", at), name)
            for tier, gift in self.gifts.items()
            for at, name in enumerate(gift.coupons)
        ]
        yield from unknown_coupons(programme, named)

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        gift = self.gifts.get(tier)
        if gift is not None:
            per = None if self.again else BenefitPeriod.MEMBERSHIP
            yield Benefit(
                CHANNEL, tier, "Gift on reaching the tier", BenefitKind.GIFT, per, 1 if per else None,
                coupons=gift.coupons, points=gift.pack.get(POINTS),
            )  # fmt: skip

    def reached(self, ladder: Ladder, former: str, tier: str) -> list[str]:
        """The tiers with a gift that a step from one to the other reaches, from the lowest up; none on a way down."""
        below, top = ladder.rank(former), ladder.rank(tier)
        passed = [each.id for each in ladder.ladder[below + 1 : top + 1]]
        return [each for each in passed if each in self.gifts and (self.skipped or each == tier)]

    def says(self, words: Words) -> Iterable[Said]:
        for tier, gift in self.gifts.items():
            parts = {"tier": words.tier(tier), "gift": words.gift(gift.pack, gift.coupons)}
            text = (
                words.say("Whoever reaches {tier} gets {gift}, each time.", "每次升至{tier}获赠{gift}。", **parts)
                if self.again
                else words.say("Whoever reaches {tier} gets {gift}, once.", "首次升至{tier}获赠{gift}。", **parts)
            )
            yield Said(Topic.BENEFITS, text, ("gifts", tier))
