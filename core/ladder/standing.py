"""Where a member stands on the ladder, and what moves them: within one operation, and always the same way.

Rising follows what is counted, at once. Falling is a review's, on the day that was set when the period began: by what
was counted until the day before, whoever comes to judge it and whenever (``core.ladder.reviews``). The member's row
says when: ``tier_from`` is when the period began, ``tier_review_at`` when it is judged, and ``tier_due_at`` when
something is to be done next. That lies before the judgement while a warning is to come, and after it in the days of
grace.

A date that was set is a promise: no new version of the programme brings it nearer.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.books.members import Member, MemberStatus, TierCause, TierChange
from core.books.tallies import fact_value
from core.ladder.grounds import Grounds
from core.ladder.keeping import Keep
from core.ladder.tiers import Ladder, Need, Number, Progress
from core.rulebook.programme import Programme
from core.telling.events import TIER_AT_RISK, TIER_CHANGED, TIER_GRACE_STARTED, TIER_RENEWED
from core.time.calendar import day_start, local_day

if TYPE_CHECKING:
    from core.engine.work import Work

_INSTANT: Final = timedelta(microseconds=1)


class Dates(NamedTuple):
    """When a tier is judged, and when something is to be done next."""

    review_at: datetime
    due_at: datetime


def dates(keep: Keep | None, programme: Programme, since: datetime, review_at: datetime | None = None) -> Dates:
    """The dates of a period that begins ``since`` and is judged when the policy says, or at ``review_at``."""
    zone = programme.zone
    if review_at is None:
        assert keep is not None, "without a policy somebody has set the date"
        review_at = day_start(keep.review.next(local_day(since, zone)), zone)
    due_at = review_at
    if keep is not None and keep.warn_days:
        warned_at = day_start(keep.warned_on(local_day(review_at, zone)), zone)
        due_at = warned_at if warned_at > since else review_at
    return Dates(review_at, due_at)


def last_day(instant: datetime, programme: Programme) -> date:
    """The last day that counts for what is judged at an instant: the one before, if it is 00:00."""
    return local_day(instant - _INSTANT, programme.zone)


class Outlook(NamedTuple):
    """How it stands with keeping a tier, as of some instant.

    It is judged at ``review_at``; ``lost_at`` is when it is lost if it is not kept, after the days of grace.
    ``projected`` is where the member stands then if nothing more is counted, ``held`` the highest tier that what is
    counted so far would keep.
    """

    review_at: datetime
    lost_at: datetime
    locked_until: datetime | None
    in_grace: bool
    held: str
    projected: str
    progress: Progress


def judged_on(programme: Programme, member: Member) -> date | None:
    """The last day that counts when the member's tier is judged; None when it is not."""
    ladder = programme.tiers
    if ladder is None or member.tier_review_at is None or ladder.rank(member.tier) < 1:
        return None
    return last_day(member.tier_review_at, programme)


def outlook(programme: Programme, member: Member, facts: Mapping[Need, Number], now: datetime) -> Outlook:
    """How it stands with the tier of a member that is judged, by what was counted of the windows so far."""
    ladder, review_at, due_at = programme.tiers, member.tier_review_at, member.tier_due_at
    assert ladder is not None
    assert review_at is not None
    assert due_at is not None
    keep = ladder.keep or _WHEN_GIVEN
    lost_at = day_start(keep.lost_on(local_day(review_at, programme.zone)), programme.zone)
    lost_at = max(lost_at, review_at) if due_at <= review_at else due_at
    held = ladder.evaluate(facts, keeping=True)
    floor = _floor(member, review_at)
    return Outlook(
        review_at=review_at,
        lost_at=lost_at,
        locked_until=member.tier_lock_until if _floor(member, now) is not None else None,
        in_grace=due_at > review_at,
        held=held,
        projected=ladder.fall(member.tier, held, keep.steps_down, floor),
        progress=ladder.keeping(facts, member.tier),
    )


class Standing:
    """The member's standing on the ladder that is in force, for the length of an operation."""

    def __init__(self, work: "Work") -> None:
        self._work = work

    @property
    def ladder(self) -> Ladder | None:
        """The ladder in force now, though an older version may judge what happened then."""
        return self._work.programme_now.tiers

    @property
    def floor(self) -> str | None:
        """The tier below which nothing may put the member now; None when there is none."""
        return _floor(self._work.member, self._work.now)

    # -- what is counted --------------------------------------------------------------------------

    async def facts(self, on: date, until: date | None = None, *, keeping: bool = False) -> Mapping[Need, Number]:
        """What the ladder asks for, by windows that end on the day ``on``, counted ``until`` then or to the present."""
        ladder, currency = self.ladder, self._work.programme_now.currency
        assert ladder is not None
        facts = {}
        # What is read of the whole membership holds what a window asks for.
        since = {need: need.window.start(on) for need in ladder.needs(keeping=keeping)}
        for need in sorted(since, key=lambda need: since[need] or date.min):
            amount = await self._work.counted(need.fact, since=since[need], until=until)
            facts[need] = fact_value(need.fact, amount, currency)
        return facts

    async def earned(self) -> str:
        """The highest tier whose criteria are met now, wherever the member stands; empty when there is no ladder."""
        ladder = self.ladder
        return "" if ladder is None else ladder.evaluate(await self.facts(self._today))

    @property
    def _today(self) -> date:
        return local_day(self._work.now, self._work.programme_now.zone)

    # -- moving -----------------------------------------------------------------------------------

    def move(self, tier: str, cause: TierCause, grounds: Grounds | None = None, **more: Any) -> None:
        """Put the member into another tier, up or down, with what the history says of it. ``more`` is told with it."""
        work = self._work
        former, number = work.member.tier, work.member.tier_changes + 1
        work.change_member(tier=tier, tier_since=work.now, tier_changes=number)
        version, judged = work.version_now.number, None if grounds is None else grounds.to_json()
        work.add_tier_change(TierChange(number, former, tier, work.operation_id, work.now, cause, version, judged))
        self.begin(work.now)
        work.tell(TIER_CHANGED, former=former, tier=tier, cause=cause, **more)

    def begin(self, since: datetime, review_at: datetime | None = None) -> None:
        """Begin a period in the tier: judged when the policy says, or at ``review_at``; never, where neither is."""
        work, ladder = self._work, self.ladder
        keep = ladder.keep if ladder else None
        if ladder is None or ladder.rank(work.member.tier) < 1 or (keep is None and review_at is None):
            work.change_member(tier_from=since, tier_review_at=None, tier_due_at=None)
            return
        set_ = dates(keep, work.programme_now, since, review_at)
        work.change_member(tier_from=since, tier_review_at=set_.review_at, tier_due_at=set_.due_at)

    async def follow(self) -> bool:
        """Rise, be saved or fall by what was counted in this operation; whether anything of that happened."""
        work, ladder = self._work, self.ladder
        if ladder is None or work.member.merged_into is not None:
            return False
        former, held = work.member.tier, ladder.entry
        if former != ladder.ladder[-1].id or work.counted_off:
            facts = await self.facts(self._today)
            held = ladder.evaluate(facts)
            # A tier that a newer ladder does not know ranks below all.
            if ladder.rank(held) > ladder.rank(former):
                # The one above as well, for who asks why it is not that.
                tiers = [tier for tier in (held, ladder.above(held)) if tier is not None]
                self.move(held, TierCause.EARNED, Grounds.of(ladder, tiers, facts, self._today))
                return True
        return await self._is_saved(ladder) or await self._loses_ground(ladder, held)

    async def _is_saved(self, ladder: Ladder) -> bool:
        """Whether the last spurt is enough: the windows that were judged stay open for the days of grace."""
        work, review_at, due_at = self._work, self._work.member.tier_review_at, self._work.member.tier_due_at
        if ladder.keep is None or review_at is None or due_at is None or not review_at <= work.now < due_at:
            return False
        facts = await self.facts(last_day(review_at, work.programme_now), keeping=True)
        if ladder.rank(ladder.evaluate(facts, keeping=True)) < ladder.rank(work.member.tier):
            return False
        self._renew(review_at, in_grace=True)
        return True

    async def _loses_ground(self, ladder: Ladder, held: str) -> bool:
        """Whether what the tier was reached or kept with has been taken back, where that is not left to the review."""
        work, keep, member = self._work, ladder.keep, self._work.member
        rank = ladder.rank(member.tier)
        if not work.counted_off or keep is None or keep.taken_back == "at_review" or rank < 1:
            return False
        if await self._cause() not in (TierCause.EARNED, TierCause.TAKEN_BACK):
            return False  # what it stands on was not counted
        since = member.tier_from or member.tier_since
        keeping = since != member.tier_since
        on = last_day(since, work.programme_now) if keeping else local_day(since, work.programme_now.zone)
        facts = await self.facts(on, keeping=keeping)
        stood_on = ladder.evaluate(facts, keeping=keeping)
        tier = ladder.fall(member.tier, max(held, stood_on, key=ladder.rank), keep.taken_back, self.floor)
        if tier == member.tier:
            return False
        lost = ladder.between(tier, member.tier)
        self.move(tier, TierCause.TAKEN_BACK, Grounds.of(ladder, lost, facts, on, keeping=keeping))
        return True

    async def _cause(self) -> str:
        """Why the member came to the tier."""
        number = self._work.member.tier_changes
        (change,) = await self._work.rows(TierChange, number=number)
        return str(change.cause)

    # -- what is due ------------------------------------------------------------------------------

    async def review(self) -> dict[str, Any]:
        """Do what is due now: warn, judge, or end the days of grace. Says what was done, and by which figures."""
        work, ladder, member = self._work, self.ladder, self._work.member
        review_at, due_at = member.tier_review_at, member.tier_due_at
        assert review_at is not None
        assert due_at is not None
        keep = await self._policy(review_at)
        if keep is None or ladder is None or member.status == MemberStatus.CLOSED or ladder.rank(member.tier) < 1:
            work.change_member(tier_review_at=None, tier_due_at=None)
            return {"step": "none", "tier": member.tier}
        if due_at <= review_at and self._is_put_off(keep, review_at):
            self.begin(member.tier_from or member.tier_since)
            return {"step": "put_off", "tier": member.tier}
        counted = last_day(review_at, work.programme_now), last_day(due_at, work.programme_now)
        facts = await self.facts(*counted, keeping=True)
        held, shown = ladder.evaluate(facts, keeping=True), ladder.keeping(facts, member.tier)
        said: dict[str, Any] = {"tier": member.tier, "criteria": _criteria(shown)}
        said["mode"] = shown.mode
        if due_at < review_at:
            return {"step": self._warn(ladder, keep, held, said), **said}
        grounds = partial(Grounds.of, ladder, ladder.between(held, member.tier), facts, *counted, keeping=True)
        return {"step": self._judge(ladder, keep, held, said, grounds), **said}

    async def _policy(self, review_at: datetime) -> Keep | None:
        """How the tier is judged; None when it is not.

        Where a programme keeps tiers for ever, one is judged that an operator has given until then: what was earned is
        all that the member has without it.
        """
        ladder, member = self.ladder, self._work.member
        if ladder is None or ladder.keep is not None:
            return ladder.keep if ladder else None
        given = member.tier_lock_until == review_at and await self._cause() == TierCause.OPERATOR
        return _WHEN_GIVEN if given else None

    def _is_put_off(self, keep: Keep, review_at: datetime) -> bool:
        """Whether a newer version judges later than the one that set the date."""
        member = self._work.member
        if keep is _WHEN_GIVEN or member.tier_lock_until == review_at:
            return False
        since = member.tier_from or member.tier_since
        return dates(keep, self._work.programme_now, since).review_at > review_at

    def _warn(self, ladder: Ladder, keep: Keep, held: str, said: Mapping[str, Any]) -> str:
        work, member = self._work, self._work.member
        review_at = member.tier_review_at
        assert review_at is not None
        work.change_member(tier_due_at=review_at)
        to = ladder.fall(member.tier, held, keep.steps_down, _floor(member, review_at))
        if to == member.tier:
            return "safe"
        # Who learns of it only when it is over is told what became of it, and that is enough.
        if work.recorded_at < review_at:
            work.tell(TIER_AT_RISK, falls_to=to, review_at=review_at.isoformat(), **said)
        return "warned"

    def _judge(
        self, ladder: Ladder, keep: Keep, held: str, said: Mapping[str, Any], grounds: Callable[[], Grounds]
    ) -> str:
        work, member = self._work, self._work.member
        review_at, due_at = member.tier_review_at, member.tier_due_at
        assert review_at is not None
        assert due_at is not None
        if ladder.rank(held) >= ladder.rank(member.tier):
            self._renew(review_at, in_grace=due_at > review_at)
            return "kept"
        to = ladder.fall(member.tier, held, keep.steps_down, self.floor)
        if to == member.tier:
            # Nothing lowers it before the lock ends; then it is judged.
            self.begin(member.tier_from or member.tier_since, member.tier_lock_until)
            return "locked"
        zone = work.programme_now.zone
        ends_at = day_start(keep.lost_on(local_day(review_at, zone)), zone)
        if ends_at > due_at:
            work.change_member(tier_due_at=ends_at)
            work.tell(TIER_GRACE_STARTED, falls_to=to, until=ends_at.isoformat(), **said)
            return "grace"
        self.move(to, TierCause.REVIEW, grounds())
        return "fell"

    def _renew(self, since: datetime, *, in_grace: bool) -> None:
        self.begin(since)
        member = self._work.member
        until = member.tier_review_at.isoformat() if member.tier_review_at else None
        self._work.tell(TIER_RENEWED, tier=member.tier, until=until, in_grace=in_grace)

    # -- another ladder ---------------------------------------------------------------------------

    async def adopt(self) -> dict[str, Any]:
        """What the ladder in force means for a member whom an earlier one has placed: a tier that there is, a date."""
        ladder, member = self.ladder, self._work.member
        if ladder is not None and member.tier and ladder.rank(member.tier) < 0:
            tier, grounds = ladder.replaces.get(member.tier), None
            if tier is None:
                facts = await self.facts(self._today, keeping=True)
                tier = ladder.evaluate(facts, keeping=True)
                grounds = Grounds.of(ladder, [tier], facts, self._today, keeping=True)
            self.move(tier, TierCause.PROGRAMME, grounds)
        self.take_up()
        return {"former": member.tier, "tier": self._work.member.tier}

    def take_up(self) -> None:
        """Set a date where the programme has begun to judge tiers since: a whole period after it began to."""
        member, ladder = self._work.member, self.ladder
        if ladder is None or ladder.keep is None or member.tier_due_at is not None or ladder.rank(member.tier) < 1:
            return
        if member.status != MemberStatus.CLOSED:
            self.begin(max(member.tier_since, self._work.kept_since()))


_WHEN_GIVEN: Final = Keep.model_validate({"review": "yearly", "steps_down": "match"})


def _floor(member: Member, at: datetime) -> str | None:
    return member.tier_lock if member.tier_lock_until is not None and member.tier_lock_until > at else None


def _criteria(progress: Progress) -> list[dict[str, str]]:
    return [
        {
            "fact": one.fact,
            "window": str(one.window),
            "current": format(one.current, "f"),
            "required": format(one.required, "f"),
            "remaining": format(one.remaining, "f"),
        }
        for one in progress.criteria
    ]
