"""Boards as they are looked at: whose place is which, by the index, in as many steps however many members there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from core.books.members import Member as MemberValue
from core.books.members import bucket_of
from core.books.tallies import day_number
from core.rulebook.programmes import Programmes, Version
from core.store.dialect import Reader, in_words_of
from core.store.questions import Rows
from core.time.calendar import day_start, local_day
from core.time.periods import Period, period_named, period_of
from graph.vocabulary import Info, Order, Where, newest

from .models import LeaderboardName, LeaderboardScore
from .operations import settings_of
from .refusals import LeaderboardNotFound, LeaderboardPeriodAhead, LeaderboardPeriodUnknown, LeaderboardsNotOffered
from .rules import Board, LeaderboardSettings, places

COUNTED_MAX: Final = 10_000
"""Places are counted so far; beyond that nobody has one, so that looking takes no longer with more members."""

NAME_MAX: Final = 100

BEST_FIRST: Final = newest("score", "member_id")
"""The order of a board. Members' ids stand for nothing: they break ties, so that pages neither overlap nor skip."""


class Shown(NamedTuple):
    """A board with one of its periods, and the version of the programme that it is shown by."""

    board: Board
    period: Period
    version: Version

    @property
    def where(self) -> tuple[Where, ...]:
        """Whose scores stand on it."""
        return (
            Where("measure = ?", (str(self.board.measure),)),
            Where("period = ?", (day_number(self.period.first),)),
            Where("score > 0"),
        )

    @property
    def ends_at(self) -> datetime:
        return self.board.measure.ends_at(self.period, self.version.programme.zone)

    @property
    def closes_at(self) -> datetime:
        return self.board.measure.closes_at(self.period, self.version.programme.zone)

    @property
    def opens_at(self) -> datetime:
        return day_start(self.period.first, self.version.programme.zone)


class Row(NamedTuple):
    """A member's score on a board."""

    member_id: str
    score: int


def shown(programmes: Programmes, now: datetime, name: str, wanted: str | None) -> Shown:
    """The board of that name with the period that is wanted, or with the present one.

    A period that is over is shown by the programme in force at its end, and so is a board that there is no more. Raises
    LeaderboardsNotOffered, LeaderboardNotFound, LeaderboardPeriodUnknown, LeaderboardPeriodAhead.
    """
    version = programmes.at(now)
    board = _find(version, name)
    if board is None and wanted is not None:
        # It may have been there when the period was.
        version = next((v for v in reversed(programmes.versions) if v.starts_at <= now and _find(v, name)), version)
        board = _find(version, name)
    if board is None:
        if settings_of(version.programme) is None:
            raise LeaderboardsNotOffered(at=now)
        raise LeaderboardNotFound(leaderboard=name[:64])
    zone = version.programme.zone
    present = period_of(board.period, local_day(now, zone))
    period = present if wanted is None else period_named(board.period, wanted)
    if period is not None and period.first > present.first:
        raise LeaderboardPeriodAhead(leaderboard=board.id, period=period.name, opens_at=day_start(period.first, zone))
    # Before the programme began there was nothing that could be counted.
    if period is None or board.measure.ends_at(period, zone) <= programmes.versions[0].starts_at:
        raise LeaderboardPeriodUnknown(leaderboard=board.id, period=(wanted or "")[:16], period_now=present.name)
    ended_at = board.measure.ends_at(period, zone)
    if ended_at <= now:
        then = programmes.latest(ended_at - timedelta.resolution)
        former = _find(then, name) if then is not None else None
        if then is not None and former is not None and former.period == board.period:
            return Shown(former, period, then)
    return Shown(board, period, version)


def _find(version: Version, name: str) -> Board | None:
    settings = settings_of(version.programme)
    return settings.find(name) if settings is not None else None


# -- places -------------------------------------------------------------------------------------------


async def place_of_first(reader: Reader, board: Shown, first: Row) -> tuple[int | None, int]:
    """The place of who is the first of a stretch of the board, and how many stand before them on the list.

    The place is None beyond ``COUNTED_MAX``. Of those before no more are counted either.
    """
    measure, period, _ = board.where
    better = (measure, period, Where("score > ?", (first.score,)))
    level = (measure, period, Where("score = ?", (first.score,)), Where("member_id > ?", (first.member_id,)))
    counts, values = [], []
    for at, conditions in enumerate((better, level)):
        where = " AND ".join(condition.sql for condition in conditions)
        # In the order of the index, so that no planner thinks of going through the table instead.
        stretch = f"{where} ORDER BY {BEST_FIRST.by()} LIMIT {COUNTED_MAX}"
        rows = f"SELECT 1 FROM leaderboard_score WHERE {stretch}"
        counts.append(f"(SELECT COUNT(*) FROM ({rows}) t{at}) AS n{at}")
        values += [value for condition in conditions for value in condition.values]
    ((ahead, beside),) = await reader.query(in_words_of(reader, f"SELECT {', '.join(counts)}"), values)
    return (None if ahead >= COUNTED_MAX else ahead + 1), ahead + beside


async def placed(
    reader: Reader, board: Shown, rows: Sequence[Row], *, from_top: bool = False
) -> list[tuple[Row, int | None]]:
    """Members of a stretch of the board, the best first, with their places."""
    if not rows:
        return []
    place, before = (1, 0) if from_top else await place_of_first(reader, board, rows[0])
    found = places([row.score for row in rows], place, before)
    return [(row, at if at is not None and at <= COUNTED_MAX else None) for row, at in zip(rows, found, strict=True)]


async def row_of(info: Info, board: Shown, member_id: str) -> Row | None:
    """The member's score, if they stand on the board."""
    measure, period = str(board.board.measure), day_number(board.period.first)
    found = await info.context.loaders.rows(LeaderboardScore, member_id, measure=measure, period=period)
    return Row(member_id, found[0].score) if found and found[0].score > 0 else None


async def around(reader: Reader, board: Shown, own: Row, each: int) -> list[Row]:
    """The member, and so many on either side."""
    above = await _beside(reader, board, own, each, backwards=True)
    below = await _beside(reader, board, own, each, backwards=False)
    return [*reversed(above), own, *below]


async def _beside(reader: Reader, board: Shown, own: Row, count: int, *, backwards: bool) -> list[Row]:
    order: Order = BEST_FIRST
    conditions = (order.beyond((own.score, own.member_id), backwards=backwards), *board.where)
    sql = (
        "SELECT member_id, score FROM leaderboard_score WHERE "
        + " AND ".join(f"({condition.sql})" for condition in conditions)
        + f" ORDER BY {order.by(backwards=backwards)} LIMIT {count}"
    )
    values = [value for condition in conditions for value in condition.values]
    return [Row(member_id, score) for member_id, score in await reader.query(in_words_of(reader, sql), values)]


# -- names --------------------------------------------------------------------------------------------


async def is_hidden(info: Info, settings: LeaderboardSettings | None, member_id: str) -> bool:
    """Whether others may not read the member's name: what they have said themselves, or else the programme."""
    if settings is None or settings.names is None:
        return True
    said = await info.context.loaders.rows(LeaderboardName, member_id)
    return bool(said[0].is_hidden) if said else settings.names.hidden


async def name_of(info: Info, member_id: str) -> str | None:
    """The name that others may read: of what the brand knows of the member, what the programme says. None for none."""
    settings = settings_of((await info.context.version()).programme)
    if settings is None or settings.names is None or await is_hidden(info, settings, member_id):
        return None
    # By a glance, as the graph asks for members, so that nobody is read twice.
    question, key = Rows(MemberValue, ("bucket", "id"), glanced=True), (bucket_of(member_id), member_id)
    found: list[Any] = await info.context.loaders.ask(question, key) or []
    name = found[0].attributes.get(settings.names.attribute) if found else None
    return name[:NAME_MAX] if isinstance(name, str) and name.strip() else None
