"""What is done when nobody asks: who was counted before a board was there is scored, and closed periods give prizes."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.books.members import BUCKETS, ById, Member, bucket_of
from core.books.tallies import day_number, day_of
from core.engine.work import FUTURE_TOLERANCE
from core.rulebook.programmes import Programmes, Version
from core.scheduling.jobs import Run
from core.store.dialect import in_words_of
from core.store.tables import table_of
from core.time.calendar import day_start, local_day
from core.time.periods import Period, period_after, period_of

from .models import LeaderboardFill
from .operations import AwardPrize, ScoreMember, settings_of
from .rules import Board, Measure

_SLICES: Final = 64
_WINNERS_A_TIME: Final = 500

WAIT: Final = FUTURE_TOLERANCE
"""For how long after the close operations may still be on their way that began before it."""


class Ended(NamedTuple):
    """A period of a board that has closed, with its last moment and the version that was in force then."""

    board: Board
    period: Period
    last_moment: datetime
    version: Version


class Standing(NamedTuple):
    """Who stood on which place. ``owner`` is whose their points are: another member's, if they were merged."""

    winner: str
    owner: str
    place: int
    score: int


async def run_boards(run: Run) -> int:
    """Score whom nobody has scored yet, and give the prizes of the periods that have closed since."""
    # In this order, as nobody is to be left out.
    done = await _fill(run)
    after = run.since - WAIT if run.since is not None else await _first_scored(run)
    for ended in periods_ended(run.programmes, after, run.now - WAIT):
        async for standings in _winners(run, ended):
            done += await run.submit(_prize(run, ended, standing) for standing in standings)
    return done


async def _first_scored(run: Run) -> datetime:
    """Before the first period of which there are scores; nothing can have been won by then."""
    sections = ((settings_of(version.programme), version.programme.zone) for version in run.programmes.versions)
    measures = {(measure, zone) for settings, zone in sections if settings for measure in settings.measures}
    found = []
    for measure, zone in measures:
        sql = in_words_of(run.reader, "SELECT MIN(period) FROM leaderboard_score WHERE measure = ?")
        ((period,),) = await run.reader.query(sql, [str(measure)])
        found += [day_start(day_of(period), zone)] if period is not None else []
    return min(found, default=run.now)


def periods_ended(programmes: Programmes, after: datetime, until: datetime) -> Iterator[Ended]:
    """The periods of boards with prizes that closed after one instant and until another.

    A period is that of the version in force in its last moment, so that each closes just once.
    """
    versions = programmes.versions
    for version, following in zip(versions, (*versions[1:], None), strict=True):
        settings, zone = settings_of(version.programme), version.programme.zone
        for board in settings.boards if settings is not None else ():
            measure = board.measure
            first = max(after - timedelta(days=measure.settles_days + 1), version.starts_at)
            period = period_of(measure.kind, local_day(first, zone))
            while (closed_at := measure.closes_at(period, zone)) <= until:
                last_moment = measure.ends_at(period, zone) - timedelta.resolution
                if following is not None and last_moment >= following.starts_at:
                    break
                if board.prizes and closed_at > after and last_moment >= version.starts_at:
                    yield Ended(board, period, last_moment, version)
                period = period_after(measure.kind, period)


def _prize(run: Run, ended: Ended, standing: Standing) -> AwardPrize:
    return AwardPrize(
        member=ById(standing.owner),
        idempotency_key=f"{ended.board.id}:{ended.period.name}:{standing.winner}",
        actor=run.actor,
        board=ended.board.id,
        period=ended.period.name,
        judged_at=ended.last_moment,
        winner=standing.winner,
        place=standing.place,
        score=standing.score,
    )


async def _winners(run: Run, ended: Ended) -> AsyncIterator[list[Standing]]:
    """Those whose places win something, the first first."""
    last = ended.board.prizes[-1].up_to
    base = [str(ended.board.measure), day_number(ended.period.first), ended.board.least(ended.version.programme)]
    place, before, score = 1, 0, -1
    beyond, values = "", list(base)
    while True:
        # Each part begins where the one before has ended: a place in the index.
        sql = (
            "SELECT member_id, score FROM leaderboard_score"
            f" WHERE measure = ? AND period = ? AND score >= ?{beyond}"
            f" ORDER BY score DESC, member_id DESC LIMIT {_WINNERS_A_TIME}"
        )
        rows = await run.reader.query(in_words_of(run.reader, sql), values)
        owners = await _owners(run, [winner for winner, _ in rows])
        found = []
        for winner, points in rows:
            if points != score:
                place, score = before + 1, points
            if place > last:
                break
            found.append(Standing(winner, owners.get(winner, winner), place, points))
            before += 1
        yield found
        if len(found) < _WINNERS_A_TIME:
            return
        # SQLite takes the first of these for the place, MariaDB the second, PostgreSQL both.
        beyond = " AND (score, member_id) < (?, ?) AND score <= ?"
        values = [*base, score, rows[-1][0], score]


async def _owners(run: Run, winners: Sequence[str]) -> Mapping[str, str]:
    """Whose the points of those are who were merged into another: the last one's, if that was merged on."""
    table, owners = table_of(Member), dict[str, str]()
    unknown = {winner: winner for winner in winners}
    while unknown:
        rows = await run.reader.select(table, ("bucket", "id"), [(bucket_of(one), one) for one in {*unknown.values()}])
        members: list[Member] = [table.read(row) for row in rows]
        into = {str(member.id): member.merged_into for member in members if member.merged_into is not None}
        unknown = {winner: into[one] for winner, one in unknown.items() if one in into}
        owners |= unknown
    return owners


# -- boards that are new ------------------------------------------------------------------------------


async def _fill(run: Run) -> int:
    """Score the present periods of those who were counted before a measure was in force. Once for each."""
    settings, done = settings_of(run.programme), 0
    for measure in settings.measures if settings is not None else ():
        since = in_force_since(run.programmes, measure, run.now)
        if since == run.programmes.versions[0].starts_at:
            continue  # nothing was counted before
        fill, _ = await LeaderboardFill.get_or_create(measure=str(measure), defaults={"since": since, "bucket_next": 0})
        if fill.since != since:
            fill.since, fill.bucket_next = since, 0
        while fill.bucket_next < BUCKETS:
            # However many members there are, few of them are in memory at a time.
            end = fill.bucket_next + BUCKETS // _SLICES
            members = await _counted(run, measure, since, fill.bucket_next, end)
            done += await run.submit(
                ScoreMember(
                    member=ById(member),
                    idempotency_key=f"{measure}:{since.isoformat()}",
                    actor=run.actor,
                    since=since,
                )
                for member in members
            )
            fill.bucket_next = end
            await fill.save(update_fields=["since", "bucket_next"])
    return done


def in_force_since(programmes: Programmes, measure: Measure, now: datetime) -> datetime:
    """Since when versions have had a board of the measure without a break."""
    since = now
    for version in reversed(programmes.versions):
        if version.starts_at <= now:
            settings = settings_of(version.programme)
            if settings is None or measure not in settings.measures:
                break
            since = version.starts_at
    return since


async def _counted(run: Run, measure: Measure, since: datetime, first: int, end: int) -> list[str]:
    """Those of some buckets of whom anything was counted in the periods that were open then."""
    zone = run.programme.zone
    periods = list(measure.open(local_day(since, zone), since, zone))
    sql = (
        "SELECT DISTINCT member_id FROM tally WHERE bucket >= ? AND bucket < ? AND name = ? AND day >= ?"
        " AND amount > 0 ORDER BY member_id"
    )
    values = [first, end, measure.tally, day_number(periods[0].first)]
    return [member for (member,) in await run.reader.query(in_words_of(run.reader, sql), values)]
