"""Whom and what a mistake has hit: transactions to take back, members to make up to.

Each selection is bounded, and reads the operations in pages by their key, so that memory does not grow with what is
looked through. That is a scan of the table: fine for something that an operator does once in a while.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from core.books.members import Member, bucket_of
from core.errors import InvalidValue, MemberNotFound, Refusal, fact
from core.store.dialect import Reader, in_words_of
from core.store.tables import table_of
from core.time.clock import microseconds

REVERSED_MAX: Final = 5_000
COMPENSATED_MAX: Final = 100_000
NAMED_MAX: Final = 1_000
DAYS_MAX: Final = 366
_PAGE: Final = 5_000
_MERGES_MAX: Final = 20


class NothingSelected(Refusal):
    """Nothing is selected by what was given."""

    code = "NOTHING_SELECTED"
    says = "nothing is selected"
    says_zh = "没有选中任何内容"


class TooMuchSelected(Refusal):
    """More is selected than one remedy may be about. Narrow it, or do it in parts."""

    code = "TOO_MUCH_SELECTED"
    says = "more than {selected_max} are selected"
    says_zh = "选中的超过 {selected_max} 项"
    selected_max: int = fact("How many there may be.")


class Chosen(NamedTuple):
    """A member, and the transaction of theirs that is meant; None where the member is meant."""

    member: str
    transaction: str | None


@dataclass(frozen=True, kw_only=True)
class TransactionSelection:
    """Which transactions: all that is given must hold. ``since`` is included, ``until`` is not."""

    channel: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    programme_version: int | None = None
    references: tuple[str, ...] = ()
    transactions: tuple[tuple[str, str], ...] = ()

    def check(self) -> None:
        """Raise InvalidValue unless it is bounded."""
        _check_window(self.since, self.until)
        if len(self.references) > NAMED_MAX or len(self.transactions) > NAMED_MAX:
            raise InvalidValue(field="references", reason=f"at most {NAMED_MAX} at once")
        if self.references and self.channel is None:
            raise InvalidValue(field="channel", reason="references are numbers of a channel: say which")
        window = self.since is not None and self.until is not None
        if not (window or self.references or self.transactions or self.programme_version is not None):
            raise InvalidValue(field="since", reason="give a window, a version, references or transactions")

    async def choose(self, reader: Reader) -> list[Chosen]:
        """The transactions, by member. Raises InvalidValue, NothingSelected, TooMuchSelected."""
        self.check()
        wanted, named = frozenset(self.references), frozenset(self.transactions)
        chosen = []
        async for member, id, result in self._candidates(reader):
            if named and (member, id) not in named:
                continue
            if wanted and orjson.loads(result).get("reference") not in wanted:
                continue
            chosen.append(Chosen(member, id))
            if len(chosen) > REVERSED_MAX:
                raise TooMuchSelected(selected_max=REVERSED_MAX)
        if not chosen:
            raise NothingSelected
        return chosen

    def _candidates(self, reader: Reader) -> AsyncIterator[Sequence[Any]]:
        """What was accepted, moved something and is no reversal, and all but its references fits."""
        where = ["o.accepted", "o.reverses IS NULL"]
        values: list[Any] = []
        for column, value in (
            ("o.channel = ?", self.channel),
            ("o.kind = ?", self.kind),
            ("o.recorded_at >= ?", self.since and microseconds(self.since)),
            ("o.recorded_at < ?", self.until and microseconds(self.until)),
            ("o.programme_version = ?", self.programme_version),
        ):
            if value is not None:
                where.append(column)
                values.append(value)
        if self.transactions:
            members = sorted({(bucket_of(member), member) for member, _ in self.transactions})
            where.append(f"({' OR '.join('(o.bucket = ? AND o.member_id = ?)' for _ in members)})")
            values += [part for pair in members for part in pair]
        where.append(
            "EXISTS (SELECT 1 FROM entry e WHERE e.bucket = o.bucket AND e.member_id = o.member_id"
            " AND e.operation_id = o.id)"
        )
        result = "o.result" if self.references else "''"
        sql = f"SELECT o.member_id, o.id, {result} FROM operation o WHERE {' AND '.join(where)}"
        return _pages(reader, sql, values)


@dataclass(frozen=True, kw_only=True)
class MemberSelection:
    """Which members were hit: those who are named, or those who asked something of the channels in the window.

    Whoever was refused has asked too; with ``refused_only`` nobody else counts. ``active_days``: so do those who did
    something in the channels in so many days before the window, as they may have tried and not got through at all.
    """

    channels: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    refused_only: bool = False
    active_days: int = 0
    external_ids: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise InvalidValue unless it is bounded."""
        _check_window(self.since, self.until)
        if len(self.external_ids) > NAMED_MAX:
            raise InvalidValue(field="externalIds", reason=f"at most {NAMED_MAX} at once")
        if not 0 <= self.active_days <= DAYS_MAX:
            raise InvalidValue(field="activeDays", reason=f"it lies between 0 and {DAYS_MAX}")
        window = bool(self.channels) and self.since is not None and self.until is not None
        if window == bool(self.external_ids):
            raise InvalidValue(field="externalIds", reason="give either channels with a window, or members by name")

    async def choose(self, reader: Reader) -> tuple[list[Chosen], int]:
        """The members, each once, and how many are left out as they have left. Who was merged is the other by now.

        Raises InvalidValue, MemberNotFound, NothingSelected, TooMuchSelected.
        """
        self.check()
        ids = await self._named(reader) if self.external_ids else await self._hit(reader)
        here, left_out = await _those_here(reader, ids)
        if not here:
            raise NothingSelected
        if len(here) > COMPENSATED_MAX:
            raise TooMuchSelected(selected_max=COMPENSATED_MAX)
        return [Chosen(id, None) for id in sorted(here)], left_out

    async def _named(self, reader: Reader) -> set[str]:
        names = sorted(set(self.external_ids))
        table = table_of(Member)
        rows = await reader.select(table, ("external_id",), [(name,) for name in names])
        found: dict[str, str] = {}
        for row in rows:
            member: Member = table.read(row)
            found[member.external_id] = member.id
        if missing := [name for name in names if name not in found]:
            raise MemberNotFound(member=missing[0])
        return set(found.values())

    async def _hit(self, reader: Reader) -> set[str]:
        assert self.since is not None
        assert self.until is not None
        since, until = microseconds(self.since), microseconds(self.until)
        before = microseconds(self.since - timedelta(days=self.active_days))
        marks = ", ".join("?" * len(self.channels))
        asked = "(o.recorded_at >= ? AND o.recorded_at < ?" + (" AND NOT o.accepted)" if self.refused_only else ")")
        active = "(o.recorded_at >= ? AND o.recorded_at < ? AND o.accepted)"
        sql = f"SELECT o.member_id, o.id FROM operation o WHERE o.channel IN ({marks}) AND ({asked} OR {active})"
        ids: set[str] = set()
        async for member, *_ in _pages(reader, sql, [*self.channels, since, until, before, since]):
            ids.add(member)
            # With room for those who are left out.
            if len(ids) > 2 * COMPENSATED_MAX:
                raise TooMuchSelected(selected_max=COMPENSATED_MAX)
        return ids


async def _those_here(reader: Reader, ids: Collection[str]) -> tuple[set[str], int]:
    """Those who have not left, and those whom others were merged into; and how many have left."""
    table = table_of(Member)
    here: set[str] = set()
    left: set[str] = set()
    for _ in range(_MERGES_MAX):
        elsewhere: set[str] = set()
        for at in range(0, len(ids), _PAGE):
            keys = sorted((bucket_of(id), id) for id in sorted(ids)[at : at + _PAGE])
            for row in await reader.select(table, ("bucket", "id"), keys):
                member: Member = table.read(row)
                if member.merged_into is not None:
                    elsewhere.add(member.merged_into)
                else:
                    (left if member.status == "closed" else here).add(member.id)
        ids = elsewhere - here - left
        if not ids:
            break
    return here, len(left)


async def _pages(reader: Reader, sql: str, values: Sequence[Any]) -> AsyncIterator[Sequence[Any]]:
    """Rows of a statement on operations ``o`` whose first columns are the member and the id, in the order of these."""
    member = id = ""
    while True:
        page = await reader.query(
            in_words_of(reader, f"{sql} AND o.member_id >= ? AND (o.member_id > ? OR o.id > ?)")
            + f" ORDER BY o.member_id, o.id LIMIT {_PAGE}",
            [*values, member, member, id],
        )
        for row in page:
            yield row
        if len(page) < _PAGE:
            return
        member, id = page[-1][0], page[-1][1]


def _check_window(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and since >= until:
        raise InvalidValue(field="until", reason="it lies before since")
