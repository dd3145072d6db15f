"""What goes from one member to another when they are merged: lots with their dates, debt, and what was counted.

Nothing here holds for two members at once. The one sends: it is gone from these books, and written down as rows that
never change. The other takes just these rows, in an operation of its own whose key is made of the sending one, as often
as it is told. So what is under way is lost by no kill and taken by no repetition.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from core.books.lots import DEBT_LOT, Draw, Lot, Part
from core.books.members import bucket_of
from core.models import MergedLotRow, MergedTallyRow, MergeRow
from core.telling.events import MERGE_SENT

if TYPE_CHECKING:
    from core.engine.work import Work

_NEVER_YET: Final = 0
"""In place of the number of a lot that the other member has not made yet."""


async def send_on(work: "Work") -> dict[str, int]:
    """Send on what an operation has left with a member who was merged into another."""
    into = work.member.merged_into
    assert into is not None
    merges = [row for row in await work.rows(MergeRow, other=into) if row.outgoing]
    # The operation may itself have sent something to somebody.
    return await _send_all(work, into, merges[-1].merge_id, f"{work.operation_id}:on")


async def send_all(work: "Work", to: str, **more: Any) -> dict[str, int]:
    """Send all that is there to another member; by unit, what that comes to. ``more`` goes with it.

    What has lapsed is written down and stays; what a hold sets aside stays as well.
    """
    return await _send_all(work, to, work.operation_id, work.operation_id, **more)


async def _send_all(work: "Work", to: str, merge: str, transfer: str, **more: Any) -> dict[str, int]:
    sent: dict[str, int] = {}
    for unit in work.units:
        await work.expire(unit)
        debt = work.ledger.account(unit).debt
        lots = [lot for lot in work.ledger.lots(unit) if lot.remaining > lot.held and not lot.lapsed(work.now)]
        if lots or debt:
            draws = [Draw(lot.seq, lot.remaining - lot.held) for lot in lots]
            sent[unit] = _send(
                work, merge, transfer, unit, draws, dict.fromkeys((lot.seq for lot in lots), _NEVER_YET), debt
            )
    counts = await work.tallies()
    _send_tallies(work, merge, transfer, counts)
    if sent or counts or more:
        _tell(work, to, merge, transfer, **more)
    return sent


async def send_back(work: "Work", to: str, merge: str) -> dict[str, int]:
    """Send back what is left of all that came by a merge, and what was counted of it; by unit, what that comes to."""
    transfer = work.operation_id
    came: dict[str, list[Any]] = defaultdict(list)
    for row in await work.rows(MergedLotRow, merge_id=merge):
        if row.arrived:
            came[row.unit].append(row)
    sent: dict[str, int] = {}
    for unit, rows in came.items():
        await work.expire(unit)
        owed = -sum(row.amount for row in rows if row.lot_seq == DEBT_LOT)
        debt = min(owed, work.ledger.account(unit).debt)
        draws, home = [], {}
        for row in rows:
            found: list[Lot] = await work.rows(Lot, unit=unit, seq=row.lot_seq) if row.lot_seq != DEBT_LOT else []
            for lot in found:
                if left := min(row.amount, 0 if lot.lapsed(work.now) else lot.remaining - lot.held):
                    draws.append(Draw(lot.seq, left))
                    home[lot.seq] = row.other_seq
        if draws or debt:
            sent[unit] = _send(work, merge, transfer, unit, draws, home, debt)
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for row in await work.rows(MergedTallyRow, merge_id=merge):
        if row.arrived:
            counts[row.name, row.day] += row.amount
    _send_tallies(work, merge, transfer, counts)
    if sent or counts:
        _tell(work, to, merge, transfer)
    return sent


async def take(work: "Work", sender: str, transfer: str) -> dict[str, int]:
    """Take over what another member sent; by unit, what that comes to."""
    where = {"bucket": bucket_of(sender), "member_id": sender, "transfer_id": transfer, "arrived": False}
    taken: dict[str, int] = {}
    by_unit: dict[str, list[Any]] = defaultdict(list)
    for row in await work.look_all(MergedLotRow, **where):
        by_unit[row.unit].append(row)
    for unit in sorted(by_unit):
        taken[unit] = await _take_unit(work, unit, sorted(by_unit[unit], key=lambda row: row.lot_seq))
    for row in await work.look_all(MergedTallyRow, **where):
        work.tally(row.name, row.day, -row.amount)
        work.add(MergedTallyRow, **{**row._asdict(), "arrived": True, "amount": -row.amount})
    return taken


async def _take_unit(work: "Work", unit: str, rows: Iterable[Any]) -> int:
    await work.open_account(unit)
    debt, parts = 0, []
    back: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        if row.lot_seq == DEBT_LOT:
            debt = row.amount
            _write(work, row, DEBT_LOT, -row.amount)
        elif await _is_home(work, row):
            back[row.other_seq].append(row)
        else:
            parts.append(row)
    for number, here in back.items():
        _write(work, here[0], number, -sum(row.amount for row in here))
    lots = work.ledger.receive(
        unit,
        [Draw(number, -sum(row.amount for row in here)) for number, here in back.items()],
        [
            Part(-row.amount, row.source, row.earned_at, row.available_from, row.expires_at, bool(row.fixed))
            for row in parts
        ],
        debt,
    )
    for lot, row in zip(lots, parts, strict=True):
        _write(work, row, lot.seq, lot.amount)
    came: int = -sum(row.amount for row in (*parts, *(row for here in back.values() for row in here)))
    return came - debt


async def _is_home(work: "Work", row: Any) -> bool:
    """Whether it goes back into the lot that it came from: that has the same date, or the later one would be lost."""
    lots: list[Lot] = await work.rows(Lot, unit=row.unit, seq=row.other_seq) if row.other_seq else []
    return any(lot.expires_at == row.expires_at for lot in lots)


def _send(
    work: "Work", merge: str, transfer: str, unit: str, draws: list[Draw], home: dict[int, int], debt: int
) -> int:
    for number, amount in draws:
        lot = work.ledger.sheet.of(Lot)[unit, number]
        _sent(work, merge, transfer, unit, lot, home[number], -amount)
    if debt:
        _sent(work, merge, transfer, unit, None, DEBT_LOT, debt)
    work.ledger.send(unit, draws, debt)
    return sum(d.amount for d in draws) - debt


def _sent(work: "Work", merge: str, transfer: str, unit: str, lot: Lot | None, other_seq: int, amount: int) -> None:
    work.add(
        MergedLotRow,
        transfer_id=transfer,
        unit=unit,
        lot_seq=lot.seq if lot else DEBT_LOT,
        merge_id=merge,
        arrived=False,
        other_seq=other_seq,
        amount=amount,
        source=lot.source if lot else "",
        earned_at=lot.earned_at if lot else work.now,
        available_from=lot.available_from if lot else work.now,
        expires_at=lot.expires_at if lot else None,
        fixed=lot.fixed if lot else False,
    )


def _write(work: "Work", row: Any, number: int, amount: int) -> None:
    """Write down that what a row says has arrived, in which lot."""
    work.add(
        MergedLotRow,
        **{**row._asdict(), "lot_seq": number, "other_seq": row.lot_seq, "arrived": True, "amount": amount},
    )


def _send_tallies(work: "Work", merge: str, transfer: str, counts: dict[tuple[str, int], int]) -> None:
    for (name, day), amount in sorted(counts.items()):
        if amount:
            work.tally(name, day, -amount)
            work.add(
                MergedTallyRow,
                transfer_id=transfer,
                name=name,
                day=day,
                merge_id=merge,
                arrived=False,
                amount=-amount,
            )


def _tell(work: "Work", to: str, merge: str, transfer: str, **more: Any) -> None:
    work.tell(MERGE_SENT, to=to, merge=merge, transfer=transfer, **more)
