"""Taking back what was gained wrongly, by the programme's claw-back policy: each gain once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.accounts import Contra, Entry
from core.books.ledger import ClawBack
from core.books.lots import Lot
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.errors import InvalidAmount, InvalidValue, Refusal, TransactionNotFound, fact
from core.people.membership import check_reason
from core.telling.events import GAINS_FORFEITED
from core.trust.freezing import CHANNEL
from core.units import AMOUNT_MAX, POINTS, Points

TRANSACTIONS_MAX: Final = 100
GAINS_MAX: Final = 1_000


class NothingGained(Refusal):
    """The transaction gave the member nothing."""

    code = "NOTHING_GAINED"
    says = "transaction {transaction} gave nothing"
    says_zh = "交易 {transaction} 没有发放任何积分"
    transaction: str = fact("The transaction.")


class AlreadyTakenBack(Refusal):
    """All that the transaction gave was taken back before: forfeited, refunded or reversed."""

    code = "ALREADY_TAKEN_BACK"
    says = "all {gained} that transaction {transaction} gave was taken back before"
    says_zh = "交易 {transaction} 发放的 {gained} 已全部收回"
    transaction: str = fact("The transaction.")
    gained: Points = fact("What it gave, of all units.")


class NothingToForfeit(Refusal):
    """Nothing was gained there, or nothing that was not taken back before."""

    code = "NOTHING_TO_FORFEIT"
    says = "nothing is left to forfeit of what {channel} gave"
    says_zh = "{channel} 所发放的已无可没收"
    channel: str = fact("The channel.")


class ForfeitExceedsGains(Refusal):
    """More was to be forfeited than was gained and not taken back before."""

    code = "FORFEIT_EXCEEDS_GAINS"
    says = "{needed} to forfeit, {left} gained and not taken back"
    says_zh = "要没收 {needed}，未收回的所得仅 {left}"
    needed: Points = fact("What was to be forfeited.")
    left: Points = fact("What was gained and not taken back before.")


class TooManyGains(Refusal):
    """More gains are named than can be taken back at one stroke: a shorter period does."""

    code = "TOO_MANY_GAINS"
    says = "{gains} gains are named, and {gains_max} can be forfeited at once"
    says_zh = "指明了 {gains} 笔所得，一次最多没收 {gains_max} 笔"
    gains: int = fact("How many are named.")
    gains_max: int = fact("How many can be forfeited at once.")


@dataclass
class Gains:
    """Lots that were gained wrongly, by unit, with what is asked back of each unit and what became of that."""

    lots: dict[str, list[Lot]] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    fates: dict[str, ClawBack] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ForfeitGains(Operation):
    """Take back what these transactions gave, and what a channel gave from ``since`` on until ``before``.

    ``points`` limits it to so many points and leaves other units alone. Refuses TransactionNotFound, NothingGained,
    AlreadyTakenBack, NothingToForfeit, ForfeitExceedsGains, TooManyGains, InvalidAmount, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "forfeit"
    reaches_merged: ClassVar[bool] = True

    reason: str
    transactions: tuple[str, ...] = ()
    of_channel: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        self._check()
        gains = gains_of(await self._select(work), self.points)
        await forfeit(work, gains)
        work.tell(GAINS_FORFEITED, amounts=gains.amounts, reason=self.reason)
        return {
            "lots": {unit: [lot.seq for lot in lots] for unit, lots in gains.lots.items()},
            "fates": {unit: fate._asdict() for unit, fate in gains.fates.items()},
            "reason": self.reason,
        }

    def _check(self) -> None:
        check_reason(self.reason)
        if not self.transactions and self.of_channel is None:
            raise InvalidValue(field="transactions", reason="name transactions, or a channel")
        if len(self.transactions) > TRANSACTIONS_MAX:
            raise InvalidValue(field="transactions", reason=f"at most {TRANSACTIONS_MAX}")
        if self.of_channel is None and (self.since is not None or self.before is not None):
            raise InvalidValue(field="channel", reason="a period is one of a channel")
        if self.since is not None and self.before is not None and self.since >= self.before:
            raise InvalidValue(field="before", reason="the period ends before it begins")
        if self.points is not None and not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")

    async def _select(self, work: Work) -> list[Lot]:
        """The lots that were gained wrongly and of which something is not taken back yet."""
        came: list[Entry] = await work.rows(Entry, contra=str(Contra.MERGE))
        by_merge = {(entry.operation_id, entry.unit) for entry in came}
        # What came with a member who was merged is taken where it was gained: what that leaves there goes on.
        lots = [lot for lot in await work.rows(Lot) if (lot.operation_id, lot.unit) not in by_merge]
        named: dict[tuple[str, int], Lot] = {}
        for transaction in dict.fromkeys(self.transactions):
            gave = [lot for lot in lots if lot.operation_id == transaction]
            await _check_gave(work, transaction, gave)
            named |= {(lot.unit, lot.seq): lot for lot in gave}
        if self.of_channel is not None:
            of_channel = [lot for lot in lots if lot.source == self.of_channel and self._is_then(lot.earned_at)]
            if not any(lot.clawed < lot.amount for lot in of_channel):
                raise NothingToForfeit(channel=self.of_channel[:64])
            named |= {(lot.unit, lot.seq): lot for lot in of_channel}
        found = [lot for lot in named.values() if lot.clawed < lot.amount]
        if len(found) > GAINS_MAX:
            raise TooManyGains(gains=len(found), gains_max=GAINS_MAX)
        return found

    def _is_then(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.before is None or at < self.before)


def gains_of(lots: Iterable[Lot], points: int | None = None) -> Gains:
    """What is still to be taken back of these lots, or so many ``points`` of it. Raises ForfeitExceedsGains."""
    gains = Gains()
    for lot in sorted(lots, key=lambda lot: (lot.unit != POINTS, lot.unit, lot.seq)):
        if lot.clawed < lot.amount and (points is None or lot.unit == POINTS):
            gains.lots.setdefault(lot.unit, []).append(lot)
            gains.amounts[lot.unit] = gains.amounts.get(lot.unit, 0) + lot.amount - lot.clawed
    if points is not None:
        left = gains.amounts.get(POINTS, 0)
        if points > left:
            raise ForfeitExceedsGains(needed=points, left=left)
        gains.amounts[POINTS] = points
    return gains


async def forfeit(work: Work, gains: Gains) -> None:
    """Take back the gains, whose lots stand on the sheet, and note what became of them."""
    given: list[Entry] = await work.rows(Entry, contra=str(Contra.TRANSFER))
    by_others = {(entry.operation_id, entry.unit) for entry in given}
    for unit, lots in gains.lots.items():
        left = gains.amounts[unit]
        # Nobody earned what another member gave: nothing was counted, and nothing is counted off.
        for contra, part in _by_origin(lots, by_others):
            amount = min(left, sum(lot.amount - lot.clawed for lot in part))
            if amount:
                left -= amount
                fate = await work.claw_back(amount, [lot.seq for lot in part], unit=unit, contra=contra)
                gains.fates[unit] = _sum(gains.fates.get(unit), fate)
        work.put_down(f"{unit}.forfeited", 0, gains.amounts[unit])


def _by_origin(lots: Sequence[Lot], by_others: Collection[tuple[str, str]]) -> Iterable[tuple[str, list[Lot]]]:
    own = [lot for lot in lots if (lot.operation_id, lot.unit) not in by_others]
    others = [lot for lot in lots if (lot.operation_id, lot.unit) in by_others]
    return (Contra.CLAW_BACK, own), (Contra.TRANSFER, others)


async def _check_gave(work: Work, transaction: str, gave: Sequence[Lot]) -> None:
    if not gave:
        found: list[Recorded] = await work.rows(Recorded, id=transaction)
        if not found or not found[0].accepted:
            raise TransactionNotFound(transaction=transaction)
        raise NothingGained(transaction=transaction)
    if all(lot.clawed == lot.amount for lot in gave):
        raise AlreadyTakenBack(transaction=transaction, gained=Points(sum(lot.amount for lot in gave)))


def _sum(one: ClawBack | None, other: ClawBack) -> ClawBack:
    return other if one is None else ClawBack(*(a + b for a, b in zip(one, other, strict=True)))
