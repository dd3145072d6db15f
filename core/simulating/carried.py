"""What nobody can judge anew stands as it was: a gift, a redemption, an adjustment, a donation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from core.books.accounts import Contra, Entry
from core.books.ledger import LotTerms
from core.books.lots import Lot
from core.books.members import TierCause, TierChange
from core.engine.operations import Newcomer, Operation
from core.engine.work import Work
from core.errors import ExceedsReversible
from core.simulating.anew import SHORT, Past


class Given(NamedTuple):
    """A lot as it was given. ``fixed``: its dates are its own, and no policy's."""

    unit: str
    amount: int
    contra: str
    earned_at: datetime
    available_from: datetime
    expires_at: datetime | None
    fixed: bool


class Taken(NamedTuple):
    """An amount that was taken, or given back (negative), without a lot of its own."""

    unit: str
    amount: int
    contra: str


@dataclass(frozen=True, kw_only=True)
class CarryOver(Operation):
    """Give what was given and take what was taken, as far as it is there. How long it lasts is judged anew."""

    lots: tuple[Given, ...] = ()
    moves: tuple[Taken, ...] = ()
    reverses: str | None = None
    tier: str | None = None
    enrolled_at: datetime | None = None

    def newcomer(self) -> Newcomer:
        return Newcomer(self.enrolled_at)

    async def perform(self, work: Work) -> dict[str, Any]:
        short: dict[str, int] = {}
        for given in self.lots:
            await _give(work, given)
        for unit, amount, contra in self.moves:
            if unit not in work.programme.unit_names:
                missing = abs(amount)
            elif amount < 0:
                missing = await self._give_back(work, unit, -amount)
            elif contra == Contra.CLAW_BACK and self.reverses is not None:
                missing = await self._claw_back(work, unit, amount)
            else:
                missing = await self._take(work, unit, amount, contra)
            if missing:
                short[unit] = short.get(unit, 0) + missing
        for unit, points in short.items():
            work.tell(SHORT, unit=unit, points=points)
        ladder = work.standing.ladder
        if self.tier not in {None, work.member.tier} and ladder is not None and ladder.rank(self.tier) >= 0:
            work.move_to_tier(self.tier)
        return {"carried": True}

    async def _take(self, work: Work, unit: str, amount: int, contra: str) -> int:
        there = min(amount, max(await work.available(unit), 0))
        if there:
            spendable = work.programme.unit(unit).spendable
            await work.spend(there, unit=unit, contra=contra if spendable else Contra.ADJUSTMENT)
        return amount - there

    async def _give_back(self, work: Work, unit: str, amount: int) -> int:
        if self.reverses is None:
            await work.earn(amount, unit=unit, contra=Contra.ADJUSTMENT)
            return 0
        try:
            return amount - await work.give_back(self.reverses, amount, unit=unit)
        except ExceedsReversible as less:
            return amount - (await work.give_back(self.reverses, less.left, unit=unit) if less.left else 0)

    async def _claw_back(self, work: Work, unit: str, amount: int) -> int:
        lots: list[Lot] = await work.rows(Lot, unit=unit, operation_id=self.reverses)
        numbers = [lot.seq for lot in lots]
        asked = min(amount, await work.left_of(numbers, unit=unit)) if numbers else 0
        if asked:
            await work.claw_back(asked, numbers, unit=unit)
        return amount - asked


async def _give(work: Work, given: Given) -> None:
    if given.unit not in work.programme.unit_names:
        work.tell(SHORT, unit=given.unit, points=given.amount)
        return
    if given.fixed:
        terms = LotTerms(given.earned_at, given.available_from, given.expires_at, fixed=True)
        await work.earn(given.amount, unit=given.unit, terms=terms, contra=given.contra)
        return
    pending = max(given.available_from - given.earned_at, given.earned_at - given.earned_at)
    await work.earn(
        given.amount, unit=given.unit, earned_at=given.earned_at, pending_days=pending.days, contra=given.contra
    )


@cache
def kind_of(channel: str, kind: str) -> type[CarryOver]:
    """The operation under the name of what it stands for: policies of expiry ask for the channel."""
    return type("CarryOver", (CarryOver,), {"channel": channel, "kind": kind})


def carried(
    past: Past, entries: Sequence[Entry], lots: Sequence[Lot], steps: Sequence[TierChange]
) -> dict[str, Any] | None:
    """The fields of the operation that carries over what was left behind; None when that was nothing."""
    by_unit = {entry.unit: entry for entry in entries if entry.amount > 0}
    given = []
    for lot in sorted(lots, key=lambda lot: (lot.unit, lot.seq)):
        entry = by_unit.get(lot.unit)
        contra = entry.contra if entry else Contra.ISSUANCE
        if contra not in {Contra.ISSUANCE, Contra.ADJUSTMENT, Contra.OPENING}:
            # What came by a way that only the books of two members together explain comes as a correction.
            contra = Contra.ADJUSTMENT
        given.append(Given(lot.unit, lot.amount, contra, lot.earned_at, lot.available_from, lot.expires_at, lot.fixed))
    in_lots: dict[str, int] = {}
    for one in given:
        in_lots[one.unit] = in_lots.get(one.unit, 0) + one.amount
    moves = []
    for entry in sorted(entries, key=lambda entry: (entry.unit, entry.seq)):
        amount = entry.amount
        if amount > 0:
            # What came in lots of its own stands above; the rest came back into lots that there were.
            lot_part = min(amount, in_lots.get(entry.unit, 0))
            in_lots[entry.unit] = in_lots.get(entry.unit, 0) - lot_part
            amount -= lot_part
        if amount:
            moves.append(Taken(entry.unit, -amount, entry.contra))
    put = [step.tier for step in steps if step.cause in {TierCause.CHANNEL, TierCause.OPERATOR}]
    enrolled = next((step.at for step in steps if step.former is None), None)
    if not given and not moves and not put and enrolled is None:
        return None
    fields: dict[str, Any] = {"lots": tuple(given), "moves": tuple(moves), "reverses": past.reverses}
    return {**fields, "tier": put[-1] if put else None, "enrolled_at": enrolled}
