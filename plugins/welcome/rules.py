"""The channel's section of the programme."""

from collections.abc import Iterable
from typing import Final

from core.budgets import NamedBudget
from core.coupons import unknown_coupons
from core.gifts import Gift
from core.programme import ChannelSettings, Misfit, Programme

CHANNEL: Final = "welcome"


class WelcomeSettings(ChannelSettings, Gift):
    """The programme's section ``channels: welcome:``: the gift that whoever joins gets."""

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        return self.budgets_of(channel)

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_coupons(programme, [(("coupons", at), name) for at, name in enumerate(self.coupons)])
