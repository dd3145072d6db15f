"""Daily aggregates: kept up by the operations themselves, found anew out of all rows, and made right again."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

import pytest
from tortoise.context import TortoiseContext

import core.migrations
from core.books.members import ByExternalId
from core.channels.corrections import ExpirePoints
from core.engine.committer import Committer
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.key_figures.aggregates import Daily
from core.key_figures.recomputing import correct, differences
from core.oversight.verify import verify
from core.people.membership import EnrolMember
from core.rulebook.rules import Award, Less
from core.store import Store
from core.store.dialect import Reader
from core.store.migrating import migrate
from core.store.operations import CreateModel
from core.store.tables import table_of
from core.time.clock import StoppedClock
from tests.core.committing import APPS, BEGIN, PROGRAMME, Desk, desk_at, open_desk, publish, rules
from tests.processes.racing import Racers
from tests.test_races import race


async def kept(reader: Reader, *names: str, column: str = "amount") -> Mapping[tuple[Any, ...], int]:
    """What the aggregates say, by name, day and what else is no empty text."""
    rows = await reader.query(
        f"SELECT name, day, unit, channel, part, SUM({column}) FROM daily_aggregate GROUP BY 1,2,3,4,5"
    )
    return {
        tuple(part for part in row[:-1] if part != ""): int(row[-1]) for row in rows if not names or row[0] in names
    }


@dataclass(frozen=True, kw_only=True)
class CountThenRefuse(Operation):
    """Earn, count and then be refused, or not."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "refused"

    refused: bool = True

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.earn(7)
        work.count("visits", 3, at=work.now - timedelta(days=1))
        if self.refused:
            raise InvalidValue(field="x", reason="no")
        return {}


CAPPED = Award(
    points=50,
    uncapped=60,
    trace=(),
    cut=(("day", 10),),
    shares=(("base", "spend", 40), ("bonus", "double", 20)),
)


@dataclass(frozen=True, kw_only=True)
class GiveByRules(Operation):
    """Earn what rules have come to."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "by_rules"

    award: Award
    note: str = ""
    budget: int = 0

    async def perform(self, work: Work) -> dict[str, Any]:
        given = self.award.points - self.budget
        work.attribute("points", self.award, of="campaign:sale", less={Less.BUDGET: self.budget})
        if given:
            await work.earn(given)
        return {"note": self.note}


async def test_what_rules_gave_is_added_up_and_found_again(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    # PostgreSQL would read no JSON with a NUL in it, and what looks like it is not what rules gave.
    note = '\0 "by_rule":[["points",">x>y",7]]'
    await desk.accepted(GiveByRules(**desk.request(ann), award=CAPPED, note=note))
    await desk.accepted(GiveByRules(**desk.request(ann), award=CAPPED, budget=50))
    await desk.give(ann, 5)

    reader = desk.store.reader()
    found = {part: amount for (*_, part), amount in (await kept(reader, "rule")).items()}
    assert found == {
        "campaign:sale>base>spend": 80,
        "campaign:sale>bonus>double": 40,
        "campaign:sale>>day": -20,
        "campaign:sale>>budget": -50,
    }
    times = {part: amount for (*_, part), amount in (await kept(reader, "rule", column="times")).items()}
    assert sorted(times.items()) == [
        ("campaign:sale>>budget", 1),
        ("campaign:sale>>day", 2),
        ("campaign:sale>base>spend", 2),
        ("campaign:sale>bonus>double", 2),
    ]
    assert await differences(reader) == {}
    async with desk.store.transaction() as writer:
        await writer.query("DELETE FROM daily_aggregate WHERE name = 'rule'")
        assert await correct(writer) == 4
    assert await kept(reader, "rule") != {}
    assert await differences(reader) == {}


async def test_what_members_did_is_added_up_by_local_day(desk: Desk) -> None:
    ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
    await desk.give(ann, 1200)
    await desk.give(bob, 5)
    spent = await desk.redeem(ann, 200)
    # Half past midnight in Shanghai, and still the day before in UTC.
    desk.clock.set(datetime(2026, 1, 15, 16, 30, tzinfo=UTC))
    await desk.reverse(ann, spent, 50)

    assert await kept(desk.store.reader(), "credited", "debited", "tier", "joined", "tally") == {
        ("joined", 20260115): 2,
        ("tier", 20260115, "enrolment", ">regular"): 2,
        ("tier", 20260115, "earned", "regular>silver"): 1,
        ("tally", 20260115, "points_earned"): 1205,
        ("credited", 20260115, "points", "test", "issuance"): 1205,
        ("debited", 20260115, "points", "ledger", "redemption"): 200,
        ("credited", 20260116, "points", "ledger", "redemption"): 50,
    }
    assert await kept(desk.store.reader(), "credited", "debited", column="times") == {
        ("credited", 20260115, "points", "test", "issuance"): 2,
        ("debited", 20260115, "points", "ledger", "redemption"): 1,
        ("credited", 20260116, "points", "ledger", "redemption"): 1,
    }
    assert (await kept(desk.store.reader(), "operations"))["operations", 20260115, "test", "give"] == 2
    assert await verify(desk.store.reader()) == []


async def test_what_has_expired_is_of_the_day_on_which_it_did(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 30)
    desk.clock.advance(timedelta(days=400))
    await desk.accepted(ExpirePoints(**desk.request(ann)))

    assert await kept(desk.store.reader(), "debited") == {("debited", 20270115, "points", "ledger", "breakage"): 30}
    assert await differences(desk.store.reader()) == {}


async def test_what_is_refused_or_replayed_leaves_nothing(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    before = await kept(desk.store.reader())

    refused = await desk.submit(CountThenRefuse(**desk.request(ann)))
    assert not refused.accepted
    assert await kept(desk.store.reader()) == before

    again = CountThenRefuse(**desk.request(ann, "once"), refused=False)
    outcomes = await asyncio.gather(*(desk.submit(again) for _ in range(3)))
    assert [outcome.replayed for outcome in outcomes] == [False, True, True]
    now = await kept(desk.store.reader())
    assert {place: now[place] for place in now.keys() - before.keys()} == {
        ("tally", 20260114, "visits"): 3,
        ("tally", 20260115, "points_earned"): 7,
        ("credited", 20260115, "points", "test", "issuance"): 7,
        ("operations", 20260115, "test", "refused"): 1,
    }
    assert await verify(desk.store.reader()) == []


async def test_a_batch_is_added_with_one_statement(desk: Desk) -> None:
    members = [await desk.enrol(f"m{number}") for number in range(20)]
    await asyncio.gather(*(desk.give(member, 10) for member in members))

    assert (await kept(desk.store.reader()))["credited", 20260115, "points", "test", "issuance"] == 200
    # A row for each aggregate and process, however many members there are.
    ((rows, shards),) = await desk.store.reader().query("SELECT COUNT(*), COUNT(DISTINCT shard) FROM daily_aggregate")
    assert (rows, shards) == (len(await kept(desk.store.reader())), 1)


async def test_processes_add_to_rows_of_their_own(connected: TortoiseContext) -> None:
    async with open_desk() as desk:
        other = rules(desk.clock)
        ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
        async with Committer(desk.store, other) as committer:
            second = Desk(desk.store, committer, desk.clock, other.programmes)
            await asyncio.gather(*(at.give(who, 1) for _ in range(20) for at, who in ((desk, ann), (second, bob))))

        times = await kept(desk.store.reader(), "credited", column="times")
        assert times == {("credited", 20260115, "points", "test", "issuance"): 40}
        assert await differences(desk.store.reader()) == {}


async def test_the_day_is_that_of_the_zone_in_force_then(connected: TortoiseContext) -> None:
    clock = StoppedClock(BEGIN)
    async with open_desk(clock=clock) as desk:
        ann = await desk.enrol("ann")
        moved = PROGRAMME.replace("Asia/Shanghai", "America/New_York")
        await publish(moved, number=2, starts_at=datetime(2026, 2, 1, 1, 7, tzinfo=UTC))
        for at in (datetime(2026, 2, 1, 1, 6, 59, tzinfo=UTC), datetime(2026, 2, 1, 1, 7, tzinfo=UTC)):
            clock.set(at)
            await desk.redeem(ann, await points(desk, ann))

        assert await kept(desk.store.reader(), "debited") == {
            ("debited", 20260201, "points", "ledger", "redemption"): 10,
            ("debited", 20260131, "points", "ledger", "redemption"): 10,
        }
        assert await differences(desk.store.reader()) == {}


async def points(desk: Desk, member: Any) -> int:
    await desk.give(member, 10)
    return 10


async def test_whoever_enrolled_in_the_past_joined_then(desk: Desk) -> None:
    long_ago = datetime(1998, 12, 31, 20, tzinfo=UTC)
    await desk.accepted(EnrolMember(**desk.request(ByExternalId("ann")), enrolled_at=long_ago))

    assert ("joined", 19990101) in await kept(desk.store.reader(), "joined")
    assert await differences(desk.store.reader()) == {}


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("UPDATE daily_aggregate SET amount = amount + 1 WHERE name = 'credited'", "credited"),
        ("DELETE FROM daily_aggregate WHERE name = 'tally'", "tally"),
        ("UPDATE daily_aggregate SET day = day - 1 WHERE name = 'joined'", "joined"),
        ("UPDATE daily_aggregate SET part = 'x' WHERE name = 'tier'", "tier"),
        ("UPDATE daily_aggregate SET channel = 'x' WHERE name = 'operations'", "operations"),
        ("UPDATE daily_aggregate SET unit = 'x' WHERE name = 'rule'", "rule"),
        ("UPDATE daily_aggregate SET times = times + 1 WHERE name = 'rule' AND amount < 0", "rule"),
        ("UPDATE daily_aggregate SET times = 0 WHERE name = 'debited'", "debited"),
        ("DELETE FROM daily_aggregate", "debited"),
        ("UPDATE tally SET amount = amount + 1", "tally"),
    ],
)
async def test_every_difference_is_found_and_made_right(desk: Desk, damage: str, name: str) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 1200)
    await desk.redeem(ann, 100)
    await desk.accepted(GiveByRules(**desk.request(ann), award=CAPPED))
    async with desk.store.transaction() as writer:
        await writer.query(damage)

    wrong = await differences(desk.store.reader())
    assert name in {place[0] for place in wrong}
    [finding] = [f for f in await verify(desk.store.reader()) if f.invariant.name == "daily aggregates"]
    assert finding.places == len(wrong)
    async with desk.store.transaction() as writer:
        assert await correct(writer) == len(wrong)
    assert await differences(desk.store.reader()) == {}
    async with desk.store.transaction() as writer:
        assert await correct(writer) == 0


def tables_since(number: str) -> Iterator[str]:
    """The tables that the core's migrations have made from this one on."""
    for module in sorted(info.name for info in iter_modules(core.migrations.__path__)):
        if module >= number:
            for operation in import_module(f"core.migrations.{module}").Migration.operations:
                if isinstance(operation, CreateModel):
                    yield str((operation.options or {})["table"])


async def test_a_database_of_before_gets_the_aggregates_of_all_that_has_happened(fresh_database: str) -> None:
    async with desk_at(fresh_database) as desk:
        ann = await desk.enrol("ann")
        await desk.give(ann, 1200)
        await desk.redeem(ann, 100)
        expected = await kept(desk.store.reader())
        async with desk.store.transaction() as writer:
            # As the migrations left it that came before: later ones have no other mark than tables and indexes.
            for table in tables_since("0017"):
                await writer.query(f"DROP TABLE {table}")
            if writer.client.capabilities.dialect != "mysql":
                for name in ("tally_orders", "tally_points_earned"):
                    await writer.query(f"DROP INDEX idx_{name}")
            for name, of in (
                ("member_enrolle_2ba271", "member"),
                ("member_id_842b95", "member"),
                ("lot_left", "lot"),
                ("lot_open", "lot"),
            ):
                on = f" ON {of}" if writer.client.capabilities.dialect == "mysql" else ""
                await writer.query(f"DROP INDEX idx_{name}{on}")
            await writer.query("CREATE INDEX idx_lot_unit_77902f ON lot (unit, remaining)")
            for column in ("pending", "expiring", "expires_at"):
                await writer.query(f"ALTER TABLE account DROP COLUMN {column}")
            await writer.query("DELETE FROM tortoise_migrations WHERE app = 'core' AND name >= '0017'")

    applied = await migrate(fresh_database, APPS)

    assert applied[0].endswith("daily_aggregates")
    async with desk_at(fresh_database, programme="") as desk:
        assert await kept(desk.store.reader()) == expected
        assert await verify(desk.store.reader()) == []


async def test_four_processes_at_once_neither_fail_nor_lose_anything(fresh_database: str, racers: Racers) -> None:
    async with desk_at(fresh_database):
        pass

    outcomes = await race(
        racers, fresh_database, processes=4, each=25, kind="enrol", member="m{process}-{i}", key="enrol"
    )
    more = await race(
        racers,
        fresh_database,
        processes=4,
        each=25,
        kind="adjust",
        member="m{process}-{i}",
        key="a",
        points=3,
        reason="a gift",
    )

    assert [outcome["refusal"] for outcome in outcomes + more] == [None] * 200
    async with desk_at(fresh_database, programme="") as desk:
        found = await kept(desk.store.reader(), "joined", "credited")
        assert sorted(found.values()) == [100, 300]
        table = table_of(Daily)
        ((shards,),) = await desk.store.reader().query(f"SELECT COUNT(DISTINCT shard) FROM {table.name}")
        assert shards > 1
        assert await verify(Store().reader()) == []
