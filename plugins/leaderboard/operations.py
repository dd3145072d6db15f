"""Scores that follow what is counted, and what is won when a period closes.

A score is read off the tallies whenever one of them changes, so that refunds and claw-backs lower it, and nothing else
does. Once its period has closed it is changed no more: whoever looks, however late, finds the board as it closed, and
prizes have keys made of the board and the period.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.members import MemberStatus, bucket_of
from core.books.tallies import day_number, day_of
from core.engine.operations import Operation
from core.engine.work import Work
from core.models import MergeRow
from core.rulebook.programme import Programme
from core.telling.events import (
    MEMBER_STATUS_CHANGED,
    MERGE_GIVEN_BACK,
    MERGE_TAKEN,
    TALLIES_COUNTED,
    TRANSACTION_REVERSED,
    Event,
)
from core.time.calendar import local_day
from core.time.periods import Period, period_of

from .events import LEADERBOARD_WON
from .models import LeaderboardName, LeaderboardScore, LeaderboardWin
from .refusals import LeaderboardNotFound, LeaderboardsNotOffered
from .rules import CHANNEL, LeaderboardSettings, Measure, budget_name

GIVEN: Final = "given"
REVERSED: Final = "reversed"

_ALL_AGAIN: Final = {MEMBER_STATUS_CHANGED, MERGE_TAKEN, MERGE_GIVEN_BACK}


@dataclass(frozen=True, kw_only=True)
class ChangeLeaderboardName(Operation):
    """The member says whether others may read their name. Refuses LeaderboardsNotOffered."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "name"

    is_hidden: bool

    async def perform(self, work: Work) -> dict[str, Any]:
        if settings_of(work.programme) is None:
            raise LeaderboardsNotOffered(at=work.now)
        row = await work.find(LeaderboardName)
        if row is None:
            work.add(LeaderboardName, is_hidden=self.is_hidden, said_at=work.now)
        else:
            row.is_hidden, row.said_at = self.is_hidden, work.now
            work.save(row)
        return {"is_hidden": self.is_hidden}


@dataclass(frozen=True, kw_only=True)
class ScoreMember(Operation):
    """Score what was counted of a member before anybody did, in the periods that were open at ``since``."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "score"

    since: datetime

    async def perform(self, work: Work) -> dict[str, Any]:
        settings, zone = settings_of(work.programme_now), work.programme_now.zone
        measures = settings.measures if settings is not None else ()
        await _score(work, [(m, p) for m in measures for p in m.open(local_day(self.since, zone), self.since, zone)])
        return {}


@dataclass(frozen=True, kw_only=True)
class AwardPrize(Operation):
    """Give what a place has won, by the programme that was in force when the period ended.

    ``judged_at`` is its last moment. ``winner`` is who stood there, and the member is whose their points are by now.
    Refuses LeaderboardNotFound, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "prize"

    board: str
    period: str
    judged_at: datetime
    winner: str
    place: int
    score: int

    async def perform(self, work: Work) -> dict[str, Any]:
        work.judge_at(self.judged_at)
        settings = settings_of(work.programme)
        board = settings.find(self.board) if settings is not None else None
        prize = board.prize_of(self.place) if board is not None else None
        if board is None or prize is None:
            raise LeaderboardNotFound(leaderboard=self.board)
        work.check_may_earn()
        if await self._was_given(work):
            return {"board": board.id, "period": self.period, "place": self.place, "awards": {}}
        given = await prize.award.give(work, budget_name(board, prize), f"{CHANNEL}:{board.id}:{self.period}")
        coupons = list(prize.award.coupons)
        work.add(
            LeaderboardWin,
            board=board.id,
            period=self.period,
            winner=self.winner,
            title=board.title,
            place=self.place,
            score=self.score,
            state=GIVEN,
            transaction_id=work.operation_id,
            pack=given.pack,
            coupons=coupons,
            won_at=work.now,
        )
        work.tell(
            LEADERBOARD_WON,
            board=board.id,
            title=board.title,
            period=self.period,
            place=self.place,
            pack=given.pack,
            coupons=coupons,
        )
        return {"board": board.id, "period": self.period, "place": self.place, "awards": given.pack}

    async def _was_given(self, work: Work) -> bool:
        """Whether another had the prize, as a merge lay between two runs of the job: the winner, or whose they were."""
        merges = await work.look_all(MergeRow, bucket=bucket_of(self.winner), member_id=self.winner)
        others = {self.winner, *(row.other for row in merges if row.outgoing)} - {work.member.id}
        for other in sorted(others):
            at = {"bucket": bucket_of(other), "member_id": other, "board": self.board, "period": self.period}
            if await work.look_all(LeaderboardWin, **at, winner=self.winner):
                return True
        return False


def settings_of(programme: Programme) -> LeaderboardSettings | None:
    """The programme's leaderboards; None when it has none."""
    settings = programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, LeaderboardSettings)
    return settings


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Keep the scores what was counted; remember which prizes an operator has taken back."""
    if event.name == TRANSACTION_REVERSED and event.payload["channel"] == CHANNEL and event.payload["whole"]:
        await _reverse(work, event.payload["transaction"])
    # Boards are those in force now, though an older version may judge the order.
    settings = settings_of(work.programme_now)
    if settings is None:
        return
    if event.name == TALLIES_COUNTED:
        await _score(work, _touched(work, settings, event.payload["days"]))
    elif event.name in _ALL_AGAIN:
        await _score_all(work, settings)


def _touched(
    work: Work, settings: LeaderboardSettings, days: Mapping[str, Iterable[int]]
) -> list[tuple[Measure, Period]]:
    """The measures of what was counted, with the periods of these days that have not closed."""
    zone = work.programme_now.zone
    found: dict[tuple[Measure, Period], None] = {}
    for measure in settings.measures:
        for number in days.get(measure.tally, ()):
            period = period_of(measure.kind, day_of(number))
            if work.now < measure.closes_at(period, zone):
                found[measure, period] = None
    return list(found)


async def _score_all(work: Work, settings: LeaderboardSettings) -> None:
    zone = work.programme_now.zone
    today = local_day(work.now, zone)
    await _score(work, [(m, period) for m in settings.measures for period in m.open(today, work.now, zone)])


async def _score(work: Work, places: list[tuple[Measure, Period]]) -> None:
    if not places:
        return
    # From a fixed day on, so that operations of one batch ask one question.
    first = day_number(min(period.first for _, period in places)) // 100 * 100
    rows = {(row.measure, row.period): row for row in await work.rows(LeaderboardScore, f"period >= {first}")}
    for measure, period in places:
        key = str(measure), day_number(period.first)
        score = 0
        # Who has left, or was merged into another, stands on no board.
        if work.member.status != MemberStatus.CLOSED:
            score = max(await work.counted(measure.tally, since=period.first, until=period.last), 0)
        row = rows.get(key)
        if row is None and score:
            work.add(LeaderboardScore, measure=key[0], period=key[1], score=score)
        elif row is not None and row.score != score and work.now < measure.closes_at(period, work.programme_now.zone):
            work.put(LeaderboardScore, row._replace(score=score))


async def _reverse(work: Work, transaction: str) -> None:
    for row in await work.rows(LeaderboardWin, transaction_id=transaction):
        work.put(LeaderboardWin, row._replace(state=REVERSED))
