"""The channel's section of the programme."""

from collections.abc import Iterable
from typing import Final

from core.channels.coupons import unknown_coupons
from core.channels.gifts import Gift
from core.rulebook.budgets import NamedBudget
from core.rulebook.programme import ChannelSettings, Misfit, Programme
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "welcome"


class WelcomeSettings(ChannelSettings, Gift):
    """The programme's section ``channels: welcome:``: the gift that whoever joins gets."""

    called = ("Welcome", "入会礼")

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        return self.budgets_of(channel)

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_coupons(programme, [(("coupons", at), name) for at, name in enumerate(self.coupons)])

    def says(self, words: Words) -> Iterable[Said]:
        gift = words.gift(self.pack, self.coupons)
        yield Said(Topic.EARNING, words.say("Whoever joins gets {gift}.", "入会获赠{gift}。", gift=gift), ("pack",))
        if shared := words.budget(self.budget):
            yield Said(Topic.EARNING, shared, ("budget",))
