"""Which rewards fit a member now: those that their points pay for, before they are lost, and those that are near."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core.books.figures import BALANCES, NOTHING, Balance, Balances
from core.books.members import Frozen
from core.books.tallies import Tally
from core.channels.limits import used_of
from core.channels.suggestions import Suggestion, SuggestionKind
from core.errors import Refusal
from core.rulebook.programme import Programme
from core.time.calendar import local_day
from core.units import POINTS
from graph.vocabulary import Info, Member

from .mutations import TALLIES, stock_left_of
from .rules import CHANNEL, Item, RewardsSettings, check_member, check_open, check_stock

_WEEK: Final = timedelta(days=7)
_SEASON: Final = timedelta(days=60)
_QUARTER: Final = timedelta(days=91)
_NEAR, _PAID, _LOST_SOON, _LOST_IN_A_WEEK = 20, 40, 75, 85
_BEST_USE: Final = 10
_REACH: Final = 80
"""How many per cent of the price somebody has for whom the reward is near."""


async def suggest(info: Info, member: Member) -> Sequence[Suggestion]:
    """The rewards that the member can redeem at this moment, or nearly."""
    programme, now = (await info.context.version()).programme, info.context.now
    settings = programme.channels[CHANNEL]
    assert isinstance(settings, RewardsSettings)
    if not member._value.may(Frozen.SPENDING):
        return []
    loaders, member_id = info.context.loaders, member.member_id
    balance: Balance = await loaders.ask(BALANCES, Balances.key(member_id, POINTS, now)) or NOTHING
    prices = {item.id: settings.price(item, member.tier_id, programme) for item in settings.items}
    near = [item for item in settings.items if balance.available * 100 >= prices[item.id] * _REACH]
    if not near:
        return []
    tallies: list[Tally] = await loaders.rows(Tally, member_id, TALLIES)
    stock = await stock_left_of(info, [item for item in near if item.counted])
    today, found = local_day(now, programme.zone), []
    for item in near:
        left = item.limits.left(
            used_of((tally for tally in tallies if tally.name == item.tally), today), today, programme.zone
        )
        try:
            check_open(item, now)
            check_member(item, member.tier_id, 1, left)
            if item.counted:
                check_stock(item, 1, stock[item.id])
        except Refusal:
            continue
        found.append(_suggestion(info, programme, item, prices[item.id], balance))
    return found


def _suggestion(info: Info, programme: Programme, item: Item, price: int, balance: Balance) -> Suggestion:
    now, until = info.context.now, item.valid.until
    lost_at = balance.expires_at
    saves = balance.available >= price and lost_at is not None and lost_at - now <= _QUARTER
    if balance.available < price:
        short = price - balance.available
        weight, said = _NEAR, (f"With {short} points more it is yours.", f"再有 {short} 积分即可兑换。")
    elif balance.expiring and lost_at is not None and lost_at - now <= _SEASON:
        weight = _LOST_IN_A_WEEK if lost_at - now <= _WEEK else _LOST_SOON
        until = lost_at if until is None else min(until, lost_at)
        day = local_day(lost_at - timedelta(microseconds=1), programme.zone)
        said = (
            f"{balance.expiring} of your points are lost after {day}, and it takes {price}.",
            f"您有 {balance.expiring} 积分将在 {day} 之后失效，兑换需 {price} 积分。",
        )
    else:
        weight = _PAID
        said = (
            f"You have {balance.available} points, and it takes {price}.",
            f"您有 {balance.available} 积分，兑换需 {price} 积分。",
        )
    if balance.available >= price:
        # What makes the most of the points stands first.
        weight += _BEST_USE * price // balance.available
    return Suggestion(
        SuggestionKind.SPEND, item.id, item.name, *said,
        weight=weight, points=price, until=until, suits=item.suits, saves=saves,
    )  # fmt: skip
