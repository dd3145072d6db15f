"""Keeping a tier: judged on its day by what was counted until the day before, whoever comes to judge it and when."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from tortoise.context import TortoiseContext

from core.books.members import ById, TierChange
from core.channels.redemption import RedeemPoints
from core.engine.operations import Recorded
from core.errors import Refusal
from core.ladder.keeping import Keep, Period
from core.ladder.reviews import SetTier
from core.ladder.tiers import Ladder
from core.oversight.verify import verify
from core.scheduling.reviewing import adoptions, reviews_due
from core.scheduling.sweep import settle
from core.time.calendar import add_months, local_day
from core.trust.freezing import CloseMembership
from tests.core.committing import APPS, Desk, desk_at, open_desk, publish
from tests.databases import SqliteFolder

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
LADDER: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
tiers:
  window: {{months: 12}}
  ladder:
  - {{id: regular}}
  - {{id: silver, all: [{{fact: points_earned, at_least: 1000}}]}}
  - {{id: gold, all: [{{fact: points_earned, at_least: 5000}}]}}
  - {{id: platinum, all: [{{fact: points_earned, at_least: 20000}}]}}
  keep: {keep}
"""
KEEP: Final = '{review: yearly, ratio: "0.8", warn_days: 30, grace_days: 14}'

Open = Callable[..., AbstractAsyncContextManager[Desk]]


def programme(keep: str = KEEP) -> str:
    return LADDER.format(keep=keep)


@pytest.fixture
async def kept(connected: TortoiseContext) -> AsyncIterator[Desk]:
    """A desk whose programme judges tiers every year at 80 %, with a warning and a grace period."""
    async with open_desk(programme=programme()) as desk:
        yield desk


@pytest.fixture
def open_kept(tmp_path: Path) -> Open:
    """Opens such a desk on a new database."""
    folder = SqliteFolder(tmp_path)
    return lambda document: desk_at(folder.migrated(APPS), programme=document)


def at(day: str, clock: str = "10:00") -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), SHANGHAI).astimezone(UTC)


async def judge(desk: Desk) -> int:
    """What the job does; how many steps there were."""
    done = 0
    async for _, outcomes in settle(desk.store.reader(), desk.committer, reviews_due("job tiers", desk.clock.now())):
        done += len(outcomes)
    return done


async def earn(desk: Desk, member: ById, points: int, on: datetime | None = None) -> None:
    await desk.give(member, points, earned_at=on)


async def history(desk: Desk, member: ById) -> list[tuple[str, str, str]]:
    """Every step after enrolment: the tier, why, and the local time."""
    return [
        (change.tier, str(change.cause), f"{change.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
        for change in await desk.rows(TierChange, member)
        if change.number > 1
    ]


async def told(desk: Desk, member: ById) -> list[tuple[str, str]]:
    """The events of tiers but for changes, with the local day of each."""
    recorded: list[Recorded] = sorted(await desk.rows(Recorded, member), key=lambda row: (row.effective_at, row.id))
    return [
        (event["name"], f"{local_day(row.effective_at, SHANGHAI)}")
        for row in recorded
        for event in row.result.get("events", ())
        if event["name"].startswith("tier.") and event["name"] != "tier.changed"
    ]


# -- the settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({}, "Field required"),
        ({"review": "weekly"}, "a review is yearly, {months: n} or {end_of: month | quarter | year}"),
        ({"review": {"months": 0}}, "a review is yearly, {months: n} or {end_of: month | quarter | year}"),
        ({"review": {"end_of": "week"}}, "a review is yearly, {months: n} or {end_of: month | quarter | year}"),
        ({"review": "yearly", "ratio": 0.8}, 'a number with a point must be quoted: "1.2"'),
        ({"review": "yearly", "ratio": "1.2"}, "ratio must be more than 0 and at most 1"),
        ({"review": "yearly", "ratio": 0}, "ratio must be more than 0 and at most 1"),
        ({"review": "yearly", "steps_down": "two"}, "Input should be 'one' or 'match'"),
        ({"review": "yearly", "grace_days": -1}, "Input should be greater than or equal to 0"),
        ({"review": {"months": 1}, "grace_days": 28}, "grace_days must be less than the 28 days from one review"),
        ({"review": {"end_of": "quarter"}, "warn_days": 90}, "warn_days must be less than the 90 days from one review"),
        ({"review": "yearly", "taken_back": "never"}, "Input should be 'at_review', 'one' or 'match'"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(keep: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Keep.model_validate(keep)

    assert message in str(refused.value.errors()[0]["msg"])


def _tier(name: str, **criteria: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "id": name,
        **{
            mode: [dict(zip(("fact", "at_least", "window"), one, strict=False)) for one in asked]
            for mode, asked in criteria.items()
        },
    }


YEAR: Final = {"months": 12}
MONTH: Final = {"days": 30}


@pytest.mark.parametrize(
    ("tiers", "more", "message"),
    [
        ([_tier("a")], {"keep": {"review": "yearly"}}, "keep: there is one tier, and nobody can fall"),
        (
            [_tier("a"), _tier("b", all=[("orders", 5)])],
            {"replaces": {"c": "d"}},
            "replaces: no tier 'd' on the ladder",
        ),
        ([_tier("a"), _tier("b", all=[("orders", 5)])], {"replaces": {"b": "a"}}, "replaces: 'b' is on the ladder"),
        (
            [_tier("a"), _tier("b", all=[("orders", 5)]), _tier("c", any=[("orders", 5), ("spend", 9)])],
            {},
            "nobody could stand on tier 'b': whoever meets it meets 'c' above it",
        ),
        (
            [_tier("a"), _tier("b", all=[("orders", 5), ("spend", 9)]), _tier("c", all=[("orders", 5)])],
            {},
            "nobody could stand on tier 'b': whoever meets it meets 'c' above it",
        ),
        (
            [_tier("a"), _tier("b", any=[("orders", 5, MONTH), ("orders", 7)]), _tier("c", all=[("orders", 5)])],
            {"window": YEAR},
            "asks for orders of 5, less than 'b' below it with 7",
        ),
        (
            [_tier("a"), _tier("b", all=[("orders", 5, MONTH)]), _tier("c", all=[("orders", 5)])],
            {"window": YEAR},
            "nobody could stand on tier 'b': whoever meets it meets 'c' above it",
        ),
    ],
)
def test_a_ladder_on_which_nobody_could_stand_or_fall_is_refused(
    tiers: list[dict[str, Any]], more: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Ladder.model_validate({"ladder": tiers, **more})

    assert message in str(refused.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("tiers", "window"),
    [
        ([_tier("a"), _tier("b", any=[("orders", 5)]), _tier("c", all=[("orders", 5), ("spend", 9)])], YEAR),
        ([_tier("a"), _tier("b", any=[("orders", 5), ("spend", 9)]), _tier("c", all=[("orders", 5)])], YEAR),
        # More in a month than in the year is asked for by the higher one: an average may be.
        (
            [_tier("a"), _tier("b", all=[("average_order", 5, MONTH)]), _tier("c", all=[("average_order", 5)])],
            YEAR,
        ),
    ],
)
def test_a_tier_that_somebody_can_stand_on_is_none_too_many(tiers: list[dict[str, Any]], window: object) -> None:
    assert len(Ladder.model_validate({"ladder": tiers, "window": window}).ladder) == 3


@pytest.mark.parametrize(
    ("period", "reached", "judged"),
    [
        (Period(months=12), "2027-03-10", "2028-03-10"),
        (Period(months=12), "2028-02-29", "2029-02-28"),
        (Period(months=1), "2027-01-31", "2027-02-28"),
        (Period(end_of="month"), "2027-02-28", "2027-03-01"),
        (Period(end_of="quarter"), "2027-02-28", "2027-04-01"),
        (Period(end_of="year"), "2027-01-01", "2028-01-01"),
        (Period(end_of="year"), "2027-12-31", "2028-01-01"),
    ],
)
def test_a_tier_is_judged_when_its_period_ends(period: Period, reached: str, judged: str) -> None:
    assert period.next(date.fromisoformat(reached)) == date.fromisoformat(judged)


def test_of_what_is_counted_whole_a_part_is_rounded_up() -> None:
    ladder = Ladder.model_validate(
        {
            "ladder": [_tier("a"), _tier("b", all=[("orders", 3), ("spend", "200.01")])],
            "keep": {"review": "yearly", "ratio": "0.8"},
        }
    )
    facts = {need: Decimal("2.5") for need in ladder.needs()}

    progress = ladder.keeping(facts, "b")

    assert [criterion.required for criterion in progress.criteria] == [3, Decimal("160.0080")]


# -- the life of a tier -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "falls"),
    [(3_999, True), (4_000, False), (4_001, False), (5_000, False)],
)
async def test_a_tier_is_kept_with_exactly_the_part_that_the_programme_asks_for(
    kept: Desk, points: int, falls: bool
) -> None:
    ann = await kept.enrol()
    kept.clock.set(at("2027-03-10"))
    await earn(kept, ann, 5_000, at("2027-03-09"))  # the day before the period begins
    kept.clock.set(at("2028-03-09", "23:59"))
    await earn(kept, ann, points)
    kept.clock.set(at("2028-03-24"))
    await judge(kept)

    steps = await history(kept, ann)

    assert steps[0] == ("gold", "earned", "2027-03-10 10:00")
    assert steps[1:] == ([("silver", "review", "2028-03-24 00:00")] if falls else [])
    assert await verify(kept.store.reader()) == []


async def test_who_slacks_is_warned_once_falls_a_step_after_the_grace_and_another_a_year_later(kept: Desk) -> None:
    ann = await kept.enrol()
    kept.clock.set(at("2027-03-10"))
    await earn(kept, ann, 20_000)
    # What was counted on the first day of the period still counts when it ends; a year later nothing does.
    for day in ("2028-02-09", "2028-03-10", "2029-02-08", "2029-03-10", "2029-03-23"):
        kept.clock.set(at(day, "00:00"))
        await judge(kept)
        assert await judge(kept) == 0
    assert await history(kept, ann) == [("platinum", "earned", "2027-03-10 10:00")]
    for day in ("2029-03-24", "2030-02-22", "2030-03-24", "2030-04-07", "2031-04-21", "2032-05-05"):
        kept.clock.set(at(day, "00:00"))
        await judge(kept)

    assert await told(kept, ann) == [
        ("tier.renewed", "2028-03-10"),
        ("tier.at_risk", "2029-02-08"),
        ("tier.grace_started", "2029-03-10"),
        ("tier.at_risk", "2030-02-22"),
        ("tier.grace_started", "2030-03-24"),
        ("tier.grace_started", "2031-04-07"),
    ]
    assert await history(kept, ann) == [
        ("platinum", "earned", "2027-03-10 10:00"),
        ("gold", "review", "2029-03-24 00:00"),
        ("silver", "review", "2030-04-07 00:00"),
        ("regular", "review", "2031-04-21 00:00"),
    ]
    assert (await kept.member(ann)).tier_due_at is None
    assert await verify(kept.store.reader()) == []


async def test_a_last_spurt_saves_and_the_year_goes_on_from_the_review(kept: Desk) -> None:
    ann = await kept.enrol()
    kept.clock.set(at("2027-03-10"))
    await earn(kept, ann, 5_000, at("2027-03-09"))
    kept.clock.set(at("2027-06-01"))
    await earn(kept, ann, 1_000)
    kept.clock.set(at("2028-02-09"))
    await judge(kept)
    kept.clock.set(at("2028-03-20"))

    await earn(kept, ann, 2_999)
    assert (await kept.member(ann)).tier_due_at == at("2028-03-24", "00:00")
    kept.clock.set(at("2028-03-23", "23:59"))
    await earn(kept, ann, 1)

    member = await kept.member(ann)
    assert (member.tier, member.tier_from, member.tier_review_at) == (
        "gold",
        at("2028-03-10", "00:00"),
        at("2029-03-10", "00:00"),
    )
    assert await told(kept, ann) == [
        ("tier.at_risk", "2028-02-09"),
        ("tier.grace_started", "2028-03-10"),
        ("tier.renewed", "2028-03-23"),
    ]
    kept.clock.set(at("2028-04-01"))
    assert await judge(kept) == 0


async def test_spending_moves_no_tier_and_no_date(kept: Desk) -> None:
    ann = await kept.enrol()
    await kept.give(ann, 5_000)
    before = await kept.member(ann)

    await kept.redeem(ann, 5_000)

    assert await kept.member(ann) == before
    assert await history(kept, ann) == [("gold", "earned", "2026-01-15 10:00")]


async def test_a_refused_request_leaves_what_was_due_before_it_done(kept: Desk) -> None:
    ann = await kept.enrol()
    await earn(kept, ann, 5_000, at("2026-01-14"))
    kept.clock.set(at("2027-02-01"))

    refused = await kept.submit(RedeemPoints(**kept.request(ann), points=9_999))

    assert isinstance(refused.refusal, Refusal)
    assert [tier for tier, _, _ in await history(kept, ann)] == ["gold", "silver"]
    assert await verify(kept.store.reader()) == []


async def test_a_calendar_year_is_judged_on_its_first_day_and_who_matches_falls_at_once(
    connected: TortoiseContext,
) -> None:
    async with open_desk(programme=programme("{review: {end_of: year}, steps_down: match}")) as desk:
        ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
        desk.clock.set(at("2027-03-10"))
        for member in (ann, bob):
            await earn(desk, member, 20_000)
        desk.clock.set(at("2028-06-01"))
        await earn(desk, bob, 1_000)
        desk.clock.set(at("2030-01-01", "00:00"))
        await judge(desk)

        assert await history(desk, ann) == [
            ("platinum", "earned", "2027-03-10 10:00"),
            ("regular", "review", "2029-01-01 00:00"),
        ]
        assert await history(desk, bob) == [
            ("platinum", "earned", "2027-03-10 10:00"),
            ("silver", "review", "2029-01-01 00:00"),
            ("regular", "review", "2030-01-01 00:00"),
        ]


async def test_the_membership_that_is_closed_is_judged_no_more(kept: Desk) -> None:
    ann = await kept.enrol()
    await earn(kept, ann, 5_000)
    await kept.accepted(CloseMembership(**kept.request(ann), reason="moved away"))
    kept.clock.set(at("2029-01-01"))

    await judge(kept)

    member = await kept.member(ann)
    assert (member.tier, member.tier_due_at) == ("gold", None)
    assert await told(kept, ann) == []


# -- what is taken back -------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "tier"), [("at_review", "platinum"), ("one", "gold"), ("match", "silver")])
async def test_what_is_taken_back_takes_the_tier_where_the_programme_says_so(
    connected: TortoiseContext, policy: str, tier: str
) -> None:
    async with open_desk(programme=programme(f"{{review: yearly, taken_back: {policy}}}")) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 1_500)
        large = await desk.give(ann, 18_500)
        desk.clock.advance(timedelta(days=3))

        await desk.reverse(ann, large)
        # Spending takes nothing of what was earned.
        await desk.redeem(ann, 1_500)

        steps = [("silver", "earned"), ("platinum", "earned")]
        assert [step[:2] for step in await history(desk, ann)] == [
            *steps,
            *([(tier, "taken_back")] if tier != "platinum" else []),
        ]
        assert await verify(desk.store.reader()) == []


async def test_the_ground_of_a_tier_is_what_it_was_reached_with_and_not_what_the_window_holds_today(
    connected: TortoiseContext,
) -> None:
    async with open_desk(programme=programme("{review: {months: 24}, taken_back: match}")) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 5_000)
        desk.clock.set(at("2027-06-01"))
        small = await desk.give(ann, 100)

        # The window of today holds hardly anything, but it was not this that gold stands on.
        await desk.reverse(ann, small)

        assert await history(desk, ann) == [("gold", "earned", "2026-01-15 10:00")]


# -- by hand ------------------------------------------------------------------------------------------


async def set_tier(desk: Desk, member: ById, tier: str, until: datetime | None = None, **more: Any) -> Any:
    return await desk.submit(
        SetTier(**{**desk.request(member), "reason": "a guest", "tier": tier, "until": until, **more})
    )


@pytest.mark.parametrize("keep", [KEEP, "{review: {end_of: month}}", "null"])
async def test_a_tier_that_was_given_is_kept_to_the_end_of_its_lock_and_judged_then(
    connected: TortoiseContext, keep: str
) -> None:
    async with open_desk(programme=programme(keep)) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 1_000)
        await set_tier(desk, ann, "platinum", at("2026-09-01", "00:00"))
        desk.clock.set(at("2026-08-31", "23:59"))
        await judge(desk)
        locked = (await desk.member(ann)).tier
        desk.clock.set(at("2026-10-01"))
        await judge(desk)

        steps = await history(desk, ann)

        assert locked == "platinum"
        assert steps[:2] == [("silver", "earned", "2026-01-15 10:00"), ("platinum", "operator", "2026-01-15 10:00")]
        assert (
            steps[2:]
            == {
                KEEP: [("gold", "review", "2026-09-15 00:00")],
                "{review: {end_of: month}}": [
                    ("gold", "review", "2026-09-01 00:00"),
                    ("silver", "review", "2026-10-01 00:00"),
                ],
                # What was earned is what there is, where nothing else is said of keeping.
                "null": [("silver", "review", "2026-09-01 00:00")],
            }[keep]
        )
        assert await verify(desk.store.reader()) == []


async def test_a_lock_holds_through_a_review_which_comes_again_at_its_end(kept: Desk) -> None:
    ann = await kept.enrol()
    await earn(kept, ann, 5_000, at("2026-01-14"))
    await set_tier(kept, ann, "gold", at("2027-06-01", "12:00"))
    kept.clock.set(at("2027-06-01", "11:59"))
    await judge(kept)
    assert await history(kept, ann) == [("gold", "earned", "2026-01-15 10:00")]

    kept.clock.set(at("2027-06-20"))
    await judge(kept)

    assert (await history(kept, ann))[1:] == [("silver", "review", "2027-06-15 00:00")]


async def test_a_tier_cannot_be_set_that_is_none_or_for_no_reason(kept: Desk) -> None:
    ann = await kept.enrol()
    await set_tier(kept, ann, "gold")
    before = await kept.member(ann)

    refused = [
        await set_tier(kept, ann, "diamond"),
        await set_tier(kept, ann, "gold"),
        await set_tier(kept, ann, "platinum", kept.clock.now()),
        await set_tier(kept, ann, "platinum", reason=" "),
    ]

    assert [outcome.refusal and outcome.refusal.code for outcome in refused] == [
        "TIER_NOT_FOUND",
        "INVALID_VALUE",
        "INVALID_INSTANT",
        "INVALID_VALUE",
    ]
    assert await kept.member(ann) == before
    assert before.tier_review_at == at("2027-01-15", "00:00")


# -- another version ----------------------------------------------------------------------------------


async def adopt(desk: Desk, number: int) -> int:
    """What the job does about a version that has begun."""
    await desk.programmes.refresh(desk.store.reader())
    done = 0
    async for operations in adoptions(desk.store.reader(), desk.programmes.version(number), actor="job tiers"):
        done += len(operations)
        await desk.committer.submit_many(operations)
    return done


async def test_who_was_never_judged_has_a_whole_period_from_the_version_that_begins_to(
    connected: TortoiseContext,
) -> None:
    async with open_desk(programme=programme("null")) as desk:
        ann, bob, cyd = [await desk.enrol(name) for name in ("ann", "bob", "cyd")]
        for member in (ann, bob):
            await earn(desk, member, 5_000)
        await publish(programme(), number=2, starts_at=at("2027-06-01"))
        desk.clock.set(at("2027-09-01"))

        await desk.redeem(bob, 10)  # whatever is done to a member sets the date
        done = await adopt(desk, 2)

        assert done == 1
        for member in (ann, bob):
            assert (await desk.member(member)).tier_review_at == at("2028-06-01", "00:00")
        assert (await desk.member(cyd)).tier_review_at is None
        assert await verify(desk.store.reader()) == []


@pytest.mark.parametrize(
    ("later", "fell_on"),
    [
        # Nobody is judged before the day that they were told.
        ("{review: {months: 1}}", "2027-01-15 00:00"),
        ("{review: {months: 24}}", "2028-01-15 00:00"),
        ("null", None),
    ],
)
async def test_another_policy_brings_no_judgement_nearer(
    connected: TortoiseContext, later: str, fell_on: str | None
) -> None:
    async with open_desk(programme=programme("{review: yearly}")) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 5_000, at("2026-01-14"))
        await publish(programme(later), number=2, starts_at=at("2026-03-01"))
        for day in range(24):
            desk.clock.set(at(f"{add_months(date(2026, 4, 15), day)}", "00:00"))
            await judge(desk)

        steps = await history(desk, ann)

        assert [when for _, cause, when in steps if cause == "review"][:1] == ([fell_on] if fell_on else [])


async def test_new_thresholds_move_nobody_before_the_review(connected: TortoiseContext) -> None:
    async with open_desk(programme=programme("{review: yearly}")) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 5_000)
        harder = programme("{review: yearly}").replace("5000", "6000")
        await publish(harder, number=2, starts_at=at("2026-03-01"))
        desk.clock.set(at("2026-04-01"))
        await desk.redeem(ann, 1)
        await adopt(desk, 2)
        assert (await desk.member(ann)).tier == "gold"

        desk.clock.set(at("2027-01-15", "00:00"))
        await judge(desk)

        assert (await history(desk, ann))[1:] == [("silver", "review", "2027-01-15 00:00")]


@pytest.mark.parametrize(("replaces", "tier"), [("{}", "silver"), ("{gold: platinum}", "platinum")])
@pytest.mark.parametrize("by_job", [True, False])
async def test_a_tier_that_is_gone_is_replaced_as_the_version_says_or_by_what_was_earned(
    connected: TortoiseContext, replaces: str, tier: str, by_job: bool
) -> None:
    async with open_desk(programme=programme("null")) as desk:
        ann = await desk.enrol()
        await earn(desk, ann, 6_000)
        without = programme(f"{{review: yearly}}\n  replaces: {replaces}").replace("- {id: gold", "# ")
        await publish(without, number=2, starts_at=at("2026-03-01"))
        desk.clock.set(at("2026-04-01"))

        if by_job:
            assert await adopt(desk, 2) == 1
        else:
            await desk.redeem(ann, 1)

        assert (await history(desk, ann))[1:] == [(tier, "programme", "2026-03-01 10:00")]
        assert (await desk.member(ann)).tier_review_at == at("2027-03-01", "00:00")
        assert await adopt(desk, 2) == 0
        assert await verify(desk.store.reader()) == []


# -- whenever it is judged ----------------------------------------------------------------------------


async def test_the_history_is_the_same_however_often_and_late_the_job_runs(open_kept: Open) -> None:
    random = Random(7)
    days = sorted(random.sample(range(1, 380), 70))
    acts = [(day, random.choice((100, 300, 900, 2_500, 4_000)), random.random()) for day in days]
    quick = programme("{review: {months: 2}, ratio: '0.8', warn_days: 10, grace_days: 7}")
    quick = quick.replace("{months: 12}", "{months: 2}")

    async def live(runs: Callable[[int], int]) -> tuple[list[Any], list[Any]]:
        """Three members live through the acts, with so many runs of the job on each day."""
        async with open_kept(quick) as desk:
            members = [await desk.enrol(name) for name in "abc"]
            given: list[tuple[ById, str]] = []
            waiting = list(acts)
            for day in range(1, 500):
                desk.clock.set(at("2026-01-15") + timedelta(days=day))
                for _ in range(runs(day)):
                    await judge(desk)
                while waiting and waiting[0][0] == day:
                    _, points, chance = waiting.pop(0)
                    if chance < 0.15 and given:
                        await desk.reverse(*given.pop())
                    else:
                        member = members[int(chance * 100) % 3]
                        given.append((member, await desk.give(member, points)))
            await judge(desk)
            assert await verify(desk.store.reader()) == []
            return [await history(desk, each) for each in members], [await told(desk, each) for each in members]

    never, _ = await live(lambda day: 0)
    daily, warned = await live(lambda day: 1)
    now_and_then, _ = await live(lambda day: 2 if day % 37 == 0 else 0)

    assert never == daily == now_and_then
    causes = {cause for steps in daily for _, cause, _ in steps}
    assert causes == {"earned", "review"}
    assert any(name == "tier.at_risk" for events in warned for name, _ in events)
