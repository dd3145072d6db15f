"""What redemption costs: the points that members have redeemed, in money, as a share of what they have paid.

A programme says between which two shares that should lie. Whoever watches is told when it leaves that band, and when it
is back. Both sums are those of the daily aggregates of the days that are asked about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Any, Final

from tortoise.exceptions import IntegrityError

from core.books.accounts import Contra
from core.books.tallies import SPEND, day_number
from core.errors import InvalidValue
from core.key_figures.aggregates import CREDITED, DEBITED, TALLY
from core.models import AlarmRow
from core.money import money
from core.rulebook.programme import Programme, RedemptionBand
from core.scheduling.jobs import Run
from core.store.databases import unit_of_work
from core.store.dialect import Reader
from core.telling.events import REDEMPTION_COST_BACK_IN_BAND, REDEMPTION_COST_LEFT_BAND
from core.telling.outbox import tell_of_programme
from core.time.calendar import local_day
from core.units import POINTS
from core.value.liability import worth

DAYS_MAX: Final = 366

_NAME: Final = "redemption_cost"
_EXACT: Final = Context(prec=64)
_SHARE_STEP: Final = Decimal("0.000001")


class Standing(StrEnum):
    """Where the cost of redemption lies."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"


@dataclass(frozen=True, kw_only=True)
class RedemptionCost:
    """What was redeemed and paid on the local days ``since`` to ``until``, both included.

    ``revenue`` is in the currency's minor unit, without what points paid for, and less refunds on the day of the sale.
    """

    since: date
    until: date
    redeemed: int
    given_back: int
    revenue: int
    currency: str
    point_value: Decimal | None
    band: RedemptionBand | None

    @property
    def net(self) -> int:
        """The points redeemed, less those that were given back."""
        return self.redeemed - self.given_back

    @property
    def cost(self) -> Decimal | None:
        """The net points in money; None where the programme does not say what a point is worth."""
        return None if self.point_value is None else worth(self.net, self.point_value, self.currency)

    @property
    def share(self) -> Decimal | None:
        """The cost by the revenue, both exact, rounded to a millionth, a half up; None without revenue or value."""
        if self.point_value is None or self.revenue <= 0:
            return None
        share = _EXACT.divide(_EXACT.multiply(self.net, self.point_value), money(self.revenue, self.currency))
        return share.quantize(_SHARE_STEP, ROUND_HALF_UP, _EXACT)

    @property
    def standing(self) -> Standing | None:
        """Where it lies by the band, compared exactly; None where there is no band, or nothing was paid or redeemed."""
        if self.band is None or self.point_value is None:
            return None
        cost, revenue = _EXACT.multiply(self.net, self.point_value), money(max(self.revenue, 0), self.currency)
        if not revenue and not cost:
            return None
        if cost > _EXACT.multiply(revenue, self.band.at_most):
            return Standing.ABOVE
        return Standing.BELOW if cost < _EXACT.multiply(revenue, self.band.at_least) else Standing.WITHIN


async def redemption_cost(reader: Reader, programme: Programme, since: date, until: date) -> RedemptionCost:
    """What redemption cost on these days. Raises InvalidValue for days that are no period, or too many."""
    if since > until:
        raise InvalidValue(field="since", reason="it comes after until")
    if (until - since).days >= DAYS_MAX:
        raise InvalidValue(field="since", reason=f"a period has at most {DAYS_MAX} days")
    sums = {
        (name, part): int(amount)
        for name, part, amount in await reader.query(
            f"SELECT name, part, SUM(amount) FROM daily_aggregate WHERE name IN ('{CREDITED}', '{DEBITED}', '{TALLY}')"
            f" AND day BETWEEN {day_number(since)} AND {day_number(until)}"
            f" AND ((unit = '{POINTS}' AND part = '{Contra.REDEMPTION}') OR (unit = '' AND part = '{SPEND}'))"
            " GROUP BY name, part"
        )
    }
    return RedemptionCost(
        since=since,
        until=until,
        redeemed=sums.get((DEBITED, Contra.REDEMPTION), 0),
        given_back=sums.get((CREDITED, Contra.REDEMPTION), 0),
        revenue=sums.get((TALLY, SPEND), 0),
        currency=programme.currency,
        point_value=programme.point_value,
        band=programme.redemption_cost,
    )


def last_days(programme: Programme, now: datetime) -> tuple[date, date]:
    """The whole days, ending with yesterday, over which the programme's band is judged."""
    days = (programme.redemption_cost or RedemptionBand()).days
    yesterday = local_day(now, programme.zone) - timedelta(days=1)
    return yesterday - timedelta(days=days - 1), yesterday


async def watch(run: Run) -> int:
    """Tell when the cost of redemption has left its band or is back: once, however many processes look."""
    if run.programme.redemption_cost is None:
        return 0
    found = await redemption_cost(run.reader, run.programme, *last_days(run.programme, run.now))
    standing = found.standing
    if standing is None:
        return 0

    async def move() -> int:
        row = await AlarmRow.get_or_none(name=_NAME)
        former = Standing.WITHIN if row is None else Standing(row.standing)
        if standing == former:
            return 0
        if row is None:
            await AlarmRow.create(name=_NAME, standing=standing, since=run.now)
        elif not await AlarmRow.filter(name=_NAME, standing=former).update(standing=standing, since=run.now):
            return 0
        name = REDEMPTION_COST_BACK_IN_BAND if standing == Standing.WITHIN else REDEMPTION_COST_LEFT_BAND
        await tell_of_programme(run.committer.routes, name, _payload(found, standing, former), run.now)
        return 1

    try:
        return await unit_of_work(move)
    except IntegrityError:
        # Another process was faster, and has told it.
        return 0


def _payload(found: RedemptionCost, standing: Standing, former: Standing) -> Mapping[str, Any]:
    assert found.band is not None
    return {
        "standing": standing,
        "former": former,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "points": found.net,
        "cost": str(found.cost),
        "revenue": str(money(found.revenue, found.currency)),
        "currency": found.currency,
        "share": None if found.share is None else str(found.share),
        "at_least": str(found.band.at_least),
        "at_most": str(found.band.at_most),
    }
