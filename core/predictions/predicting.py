"""The job of the predictions: fits the models to what was counted, judges them, and writes down what they say of each.

What it reads is added up where it lies, one row a member, in parts of the members; what it computes, it computes in a
thread. Nobody waits for it, and nothing that moves points reads what it writes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.books.accounts import Contra
from core.books.lots import REVIEW
from core.books.members import BUCKETS, bucket_of
from core.books.tallies import ORDERS, SPEND, day_number, day_of
from core.models import PredictionModelRow, PredictionRow
from core.money import money
from core.predictions.buying import Buying, BuyingModel, SpendingModel
from core.predictions.redeeming import RedeemingModel
from core.scheduling.jobs import Run
from core.store.databases import unit_of_work
from core.store.dialect import Reader
from core.time.calendar import local_day, month_end
from core.time.clock import instant, microseconds
from core.units import POINTS

if TYPE_CHECKING:
    from core.predictions.fitting import Redeeming
    from core.predictions.judging import Judged

AHEAD_DAYS: Final = 91
"""For how many days ahead lists are made: a quarter, thirteen weeks."""
HELD_BACK_DAYS_MAX: Final = 182
DAYS_MIN: Final = 90
UNKNOWN: Final = -1
MILLION: Final = 1_000_000
SLICES: Final = 32
"""In how many parts of the members all is read and written."""

_SPEND_MAX: Final = 2**53 - 1


class Counted(NamedTuple):
    """A member's orders by day, added up: how many days, the first and the last, what was paid after the first."""

    days: int
    first: date
    last: date
    spend: int
    spend_first: int

    def buying(self, until: date) -> Buying:
        return Buying(self.days - 1, (self.last - self.first).days, (until - self.first).days)

    @property
    def average(self) -> float:
        """What was paid on a day after the first, on average."""
        return max(self.spend - self.spend_first, 0) / (self.days - 1) if self.days > 1 else 0.0


class Due(NamedTuple):
    """What of a member's points would be lost after so many days, with all that is lost before."""

    days: int
    points: int


class Known(NamedTuple):
    """All that the models see: orders until two days, who is here since when, redemptions, what is due to be lost."""

    before: Mapping[str, Counted]
    counted: Mapping[str, Counted]
    enrolled: Mapping[str, date]
    redeemed: Mapping[str, tuple[int, int]]
    due: Mapping[str, Sequence[Due]]


class Fit(NamedTuple):
    """The models, where there are any, and why there are none; how good that of orders is."""

    buying: BuyingModel | None
    spending: SpendingModel | None
    refused: str | None
    redeeming: RedeemingModel | None
    taking: SpendingModel | None
    redeeming_refused: str | None
    judged: "Judged | None"


def is_installed() -> bool:
    """Whether what fits the models is installed: ``laurel[predictions]``."""
    return find_spec("numpy") is not None and find_spec("scipy") is not None


async def predict(run: Run) -> int:
    """Fit, judge, and write down what is expected of each member; of how many. A fit that is refused changes none."""
    if not is_installed():
        return 0
    zone = run.programme.zone
    until = local_day(run.now, zone) - timedelta(days=1)
    begun = await _first_day(run.reader, until)
    held_back = 0 if begun is None else min((until - begun).days // 3, HELD_BACK_DAYS_MAX)
    cutoff = until - timedelta(days=held_back)
    known = await _read(run, cutoff, until)
    span = 0 if begun is None else (until - begun).days + 1
    unit = float(money(1, run.programme.currency))
    fit = await asyncio.to_thread(_fit, known, cutoff, until, span, unit)
    latest = await PredictionModelRow.all().order_by("-id").first()
    number = 1 if latest is None else latest.id + 1
    this = number
    await PredictionModelRow.create(id=this, made_at=run.now, until=until, **_facts(fit, known))
    # What was learnt before goes on to be used, of what members did since.
    if fit.refused is not None:
        row = await PredictionModelRow.filter(refused__isnull=True).order_by("-id").first()
        if row is not None:
            buying, spending = models_of(row)
            number, fit = row.id, fit._replace(buying=buying, spending=spending)
    if fit.redeeming_refused is not None:
        row = await PredictionModelRow.filter(redeeming_refused__isnull=True).order_by("-id").first()
        if row is not None:
            parameters = row.parameters
            fit = fit._replace(
                redeeming=RedeemingModel(**parameters["redeeming"]), taking=SpendingModel(**parameters["taking"])
            )
    if fit.buying is None and fit.redeeming is None:
        return 0
    rows, losses = await asyncio.to_thread(_score, known, fit, number, until)
    if losses is not None:
        await PredictionModelRow.filter(id=this).update(losses=losses)
    return await _write(rows)


# -- reading ------------------------------------------------------------------------------------------


async def _first_day(reader: Reader, until: date) -> date | None:
    # The index is that of what all members have paid in a period.
    ((first,),) = await reader.query(
        f"SELECT MIN(day) FROM tally WHERE name = '{SPEND}' AND day <= {day_number(until)}"
    )
    return None if first is None else day_of(int(first))


async def _read(run: Run, cutoff: date, until: date) -> Known:
    reader, zone = run.reader, run.programme.zone
    before: dict[str, Counted] = {}
    counted: dict[str, Counted] = {}
    enrolled: dict[str, date] = {}
    redeemed: dict[str, tuple[int, int]] = {}
    due: dict[str, list[Due]] = {}
    today = until + timedelta(days=1)
    now = microseconds(run.now)
    for part in range(SLICES):
        width = BUCKETS // SLICES
        buckets = f"bucket >= {part * width} AND bucket < {(part + 1) * width}"
        members = await reader.query(
            f"SELECT id, enrolled_at FROM member WHERE {buckets} AND status <> 'closed' AND merged_into IS NULL"
        )
        here = {str(id): local_day(instant(at), zone) for id, at in members}
        enrolled |= here
        for found, day in ((before, cutoff), (counted, until)):
            found |= {id: one for id, one in await _orders(reader, buckets, day) if id in here}
        redeemed |= {
            str(id): (int(times), int(points))
            for id, times, points in await reader.query(
                f"SELECT member_id, COUNT(*), SUM(-amount) FROM entry WHERE {buckets} AND unit = '{POINTS}'"
                f" AND contra = '{Contra.REDEMPTION}' AND amount < 0 GROUP BY member_id"
            )
            if id in here
        }
        lots: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for id, expires_at, points in await reader.query(
            f"SELECT member_id, expires_at, SUM(remaining - held) FROM lot WHERE {buckets} AND unit = '{POINTS}'"
            f" AND expires_at > {now} AND remaining > held"
            f" AND available_from < {microseconds(REVIEW)} GROUP BY member_id, expires_at"
        ):
            if id in here:
                lots[id][_days_left(local_day(instant(expires_at), zone), today)] += int(points)
        due |= {id: _added_up(days) for id, days in lots.items()}
    return Known(before, counted, enrolled, redeemed, due)


async def _orders(reader: Reader, buckets: str, until: date) -> Iterable[tuple[str, Counted]]:
    """The days with orders of some members until a day; days of which all came back are none."""
    rows = await reader.query(
        "SELECT g.member_id, g.days, g.first_day, g.last_day, g.spend, COALESCE(f.amount, 0) FROM ("
        "SELECT o.bucket AS bucket, o.member_id AS member_id, COUNT(*) AS days, MIN(o.day) AS first_day,"
        " MAX(o.day) AS last_day, COALESCE(SUM(s.amount), 0) AS spend FROM tally o LEFT JOIN tally s"
        f" ON s.bucket = o.bucket AND s.member_id = o.member_id AND s.name = '{SPEND}' AND s.day = o.day"
        f" WHERE {buckets.replace('bucket', 'o.bucket')} AND o.name = '{ORDERS}' AND o.amount > 0"
        f" AND o.day <= {day_number(until)} GROUP BY o.bucket, o.member_id) g LEFT JOIN tally f"
        f" ON f.bucket = g.bucket AND f.member_id = g.member_id AND f.name = '{SPEND}' AND f.day = g.first_day"
    )
    return [
        (str(id), Counted(int(days), day_of(int(first)), day_of(int(last)), int(spend), int(spend_first)))
        for id, days, first, last, spend, spend_first in rows
    ]


def _days_left(day: date, today: date) -> int:
    """How many days ahead it lies; of what lies further ahead than lists do, the end of the month says enough."""
    left = (day - today).days
    return left if left < AHEAD_DAYS else (month_end(day) - today).days


def _added_up(days: Mapping[int, int]) -> list[Due]:
    due, total = [], 0
    for day in sorted(days):
        total += days[day]
        due.append(Due(day, total))
    return due


# -- computing, in a thread ---------------------------------------------------------------------------


def _fit(known: Known, cutoff: date, until: date, span: int, unit: float) -> Fit:
    from core.predictions.fitting import CannotFit, Payments, alike, fit_buying, fit_redeeming, fit_spending

    buying = spending = judged = refused = redeeming = taking = redeeming_refused = None
    try:
        if span < DAYS_MIN:
            raise CannotFit("MBG/NBD", f"{span} days of orders, {DAYS_MIN} are needed")
        buying = fit_buying(one.buying(until) for one in known.counted.values())
        spending = fit_spending([Payments(one.days - 1, one.average) for one in known.counted.values()])
        judged = _judge(known, cutoff, until, unit)
    except CannotFit as error:
        buying = spending = None
        refused = str(error)[:200]
    try:
        times = [_redeeming(known, id, until) for id in known.enrolled]
        redeeming = fit_redeeming(times)
        paid = [Payments(count, points / count) for count, points in known.redeemed.values()]
        try:
            taking = fit_spending(paid)
        except CannotFit:
            # One reward at one price, say.
            taking = alike(paid)
    except CannotFit as error:
        redeeming = taking = None
        redeeming_refused = str(error)[:200]
    return Fit(buying, spending, refused, redeeming, taking, redeeming_refused, judged)


def _judge(known: Known, cutoff: date, until: date, unit: float) -> "Judged":
    """A model that has not seen the days after the cutoff, judged by them; money in the currency's unit.

    Raises CannotFit.
    """
    from core.predictions.fitting import Payments, fit_buying, fit_spending
    from core.predictions.judging import Came, Seen, judge

    seen, came = [], []
    for id, one in known.before.items():
        later = known.counted[id]
        seen.append(Seen(one.buying(cutoff), Payments(one.days - 1, one.average * unit)))
        came.append(Came(later.days - one.days, (later.spend - one.spend) * unit))
    model = fit_buying(each.buying for each in seen)
    spending = fit_spending([each.payments for each in seen])
    return judge(seen, came, (until - cutoff).days, model, spending)


def _redeeming(known: Known, id: str, until: date) -> "Redeeming":
    from core.predictions.fitting import Redeeming

    return Redeeming(known.redeemed.get(id, (0, 0))[0], max((until - known.enrolled[id]).days, 0))


def _score(known: Known, fit: Fit, number: int, until: date) -> tuple[list[PredictionRow], dict[str, int] | None]:
    """What is said of each member, and what all of them lose, by the month in which they do; None without a model."""
    from core.predictions.fitting import score_buying

    ids = sorted(known.counted)
    said: dict[str, tuple[int, int, int]] = {}
    if fit.buying is not None and fit.spending is not None and ids:
        members = [known.counted[id].buying(until) for id in ids]
        gone, orders, _ = score_buying(fit.buying, members, AHEAD_DAYS)
        for id, member, left, days in zip(ids, members, gone.tolist(), orders.tolist(), strict=True):
            spend = days * fit.spending.mean(member.repeats, known.counted[id].average)
            said[id] = (round(left * MILLION), round(days * MILLION), min(round(spend), _SPEND_MAX))
    lost, losses = _losses(known, fit, until)
    rows = []
    for id in known.enrolled:
        one = known.counted.get(id)
        member = Buying(UNKNOWN, 0, 0) if one is None else one.buying(until)
        left, days, spend = said.get(id, (UNKNOWN, UNKNOWN, UNKNOWN))
        due = [each for each in known.due.get(id, ()) if each.days < AHEAD_DAYS]
        rows.append(
            PredictionRow(
                bucket=bucket_of(id),
                member_id=id,
                model=number,
                until=until,
                repeats=member.repeats,
                recency_days=member.recency_days,
                age_days=member.age_days,
                average=0 if one is None else round(one.average),
                redemptions=known.redeemed.get(id, (0, 0))[0],
                gone=left,
                orders=days,
                spend=spend,
                due=due[-1].points if due else 0,
                lost=lost.get(id, 0) if fit.redeeming is not None else UNKNOWN,
            )
        )
    return rows, None if fit.redeeming is None else losses


def _losses(known: Known, fit: Fit, until: date) -> tuple[dict[str, int], dict[str, int]]:
    """What members are expected to lose within the days of the lists, and all of them by month (1998-07).

    The soonest is spent first, so that the worst of all days is lost for sure; a month has by how much it is worse.
    """
    from core.predictions.fitting import score_losing

    if fit.redeeming is None or fit.taking is None or not known.due:
        return {}, {}
    each = {}
    for id in known.due:
        times, points = known.redeemed.get(id, (0, 0))
        each[id] = max(fit.taking.mean(times, points / max(times, 1)), 1.0)
    flat = [(id, one) for id, due in known.due.items() for one in due]
    found = score_losing(
        fit.redeeming,
        [_redeeming(known, id, until) for id, _ in flat],
        [each[id] for id, _ in flat],
        [one.points for _, one in flat],
        [one.days for _, one in flat],
    )
    today = until + timedelta(days=1)
    lost: dict[str, int] = {}
    worst: dict[str, float] = {}
    months: dict[str, float] = defaultdict(float)
    for (id, one), points in zip(flat, found.tolist(), strict=True):
        before = worst.get(id, 0.0)
        worst[id] = max(before, points)
        months[f"{today + timedelta(days=one.days):%Y-%m}"] += worst[id] - before
        if one.days < AHEAD_DAYS:
            lost[id] = round(worst[id])
    return lost, {month: round(points) for month, points in months.items()}


# -- writing ------------------------------------------------------------------------------------------


def _facts(fit: Fit, known: Known) -> dict[str, Any]:
    from core.predictions.judging import Error

    parameters = {
        name: asdict(model)
        for name, model in (
            ("buying", fit.buying), ("spending", fit.spending), ("redeeming", fit.redeeming), ("taking", fit.taking),
        )
        if model is not None
    }  # fmt: skip
    judged = fit.judged._asdict() if fit.judged is not None else {}
    return {
        "members": len(known.counted),
        "repeaters": sum(one.days > 1 for one in known.counted.values()),
        "redeemers": len(known.redeemed),
        "refused": fit.refused,
        "redeeming_refused": fit.redeeming_refused,
        "parameters": parameters,
        "judged": {name: one._asdict() if isinstance(one, Error) else one for name, one in judged.items()},
    }


async def _write(rows: Sequence[PredictionRow]) -> int:
    """Put these in the place of what was there, a part of the members at a time."""
    width = BUCKETS // SLICES
    parts: dict[int, list[PredictionRow]] = defaultdict(list)
    for row in rows:
        parts[row.bucket // width].append(row)
    for part in range(SLICES):

        async def write(part: int = part) -> None:
            await PredictionRow.filter(bucket__gte=part * width, bucket__lt=(part + 1) * width).delete()
            await PredictionRow.bulk_create(parts[part], batch_size=500)

        await unit_of_work(write)
    return len(rows)


def buying_of(row: Any) -> Buying:
    """The figures that a stored prediction rests on."""
    return Buying(row.repeats, row.recency_days, row.age_days)


def models_of(row: Any) -> tuple[BuyingModel, SpendingModel]:
    """The models of a stored run that was not refused."""
    return BuyingModel(**row.parameters["buying"]), SpendingModel(**row.parameters["spending"])
