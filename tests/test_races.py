"""Many processes at the same member in the same moment, on every database."""

from typing import Any

import pytest

from core.books.accounts import Account
from core.books.members import ById
from core.oversight.verify import verify
from core.store import Store
from tests.core.committing import Desk, desk_at
from tests.processes.racing import Racers


async def race(racers: Racers, url: str, *, processes: int, each: int = 1, **request: Any) -> list[dict[str, Any]]:
    """What became of each operation; ``{process}`` and ``{i}`` in its texts make them differ."""
    outcomes = await racers.run("race", url, processes=processes, each=each, request=request)
    assert len(outcomes) == processes * each
    assert [outcome for outcome in outcomes if "error" in outcome] == []
    return outcomes


async def member_with(desk: Desk, points: int) -> ById:
    member = await desk.enrol("ann")
    await desk.adjust(member, points)
    return member


async def account_of(url: str, member: ById) -> Account:
    """The account after the race, whose books must be in order."""
    async with desk_at(url, programme="") as desk:
        assert await verify(Store().reader()) == []
        return await desk.account(member)


async def test_twenty_processes_spend_exactly_what_there_is(fresh_database: str, racers: Racers) -> None:
    async with desk_at(fresh_database) as desk:
        ann = await member_with(desk, 101)

    outcomes = await race(
        racers, fresh_database, processes=20, each=3, kind="redeem", member="ann", key="{process}/{i}", points=5
    )

    assert sorted(outcome["refusal"] or "" for outcome in outcomes) == [""] * 20 + ["INSUFFICIENT_POINTS"] * 40
    account = await account_of(fresh_database, ann)
    assert (account.balance, account.debited, account.seq) == (1, 100, 21)


async def test_twenty_gifts_at_once_with_points_for_one_are_one_gift(fresh_database: str, racers: Racers) -> None:
    async with desk_at(fresh_database) as desk:
        ann = await member_with(desk, 100)

    outcomes = await race(
        racers, fresh_database, processes=4, each=5, kind="redeem", member="ann", key="gift {process}/{i}", points=100
    )

    assert [outcome["refusal"] for outcome in outcomes].count(None) == 1
    assert (await account_of(fresh_database, ann)).balance == 0


async def test_of_two_that_race_for_the_last_points_one_is_refused(fresh_database: str, racers: Racers) -> None:
    async with desk_at(fresh_database) as desk:
        ann = await member_with(desk, 150)

    outcomes = await race(racers, fresh_database, processes=2, kind="redeem", member="ann", key="{process}", points=100)

    assert {outcome["refusal"] for outcome in outcomes} == {None, "INSUFFICIENT_POINTS"}
    (loser,) = [outcome for outcome in outcomes if outcome["refusal"]]
    assert loser["result"]["facts"] == {"unit": "points", "needed": 100, "available": 50}
    assert (await account_of(fresh_database, ann)).balance == 50


@pytest.mark.parametrize("kind", ["adjust", "enrol"])
async def test_the_same_request_fifty_times_at_once_is_done_once(
    fresh_database: str, racers: Racers, kind: str
) -> None:
    async with desk_at(fresh_database) as desk:
        if kind == "adjust":
            await desk.enrol("ann")
    what = {"points": 70, "reason": "order 17"} if kind == "adjust" else {}

    outcomes = await race(racers, fresh_database, processes=5, each=10, kind=kind, member="ann", key="order:17", **what)

    assert [outcome.pop("replayed") for outcome in outcomes].count(False) == 1
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0]["refusal"] is None
    account = await account_of(fresh_database, ById(outcomes[0]["member"]))
    assert account.credited == (70 if kind == "adjust" else 0)


async def test_four_processes_that_enrol_the_same_members_agree_on_who_they_are(
    fresh_database: str, racers: Racers
) -> None:
    async with desk_at(fresh_database):
        pass

    outcomes = await race(
        racers, fresh_database, processes=4, each=20, kind="enrol", member="member {i}", key="from {process}"
    )

    members = {outcome["member"] for outcome in outcomes}
    assert len(members) == 20
    assert [outcome["refusal"] for outcome in outcomes].count(None) == 20
    await account_of(fresh_database, ById(members.pop()))
