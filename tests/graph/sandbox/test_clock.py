"""A sandbox's clock is moved, and the world is as if the time had passed; nobody else's clock is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from core.books.members import new_id
from core.models import ClockRow, JobRow, OutboxRow
from core.rulebook.programmes import Programmes
from core.rulebook.publishing import publish
from core.sandbox import walking
from core.sandbox.clock import ProgrammeClock, SandboxNotLive, make_sandbox
from core.sandbox.refusals import SandboxTooLate
from core.telling.outbox import LEASE
from core.time.clock import StoppedClock
from graph.ids import read_id
from graph.laurel import load_document, open_laurel
from graph.settings import Settings
from graph.testing import NOON, SECRET, Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.graph.sandbox.conftest import PLUGINS

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
starts_on: 2026-01-01
expiry: {mode: per_lot, months: 3, remind_days: [30]}
tiers:
  window: {months: 1}
  ladder: [{id: regular}, {id: silver, all: [{fact: points_earned, at_least: 100}]}]
  keep: {review: {months: 2}, ratio: "0.8", steps_down: one, grace_days: 7, warn_days: 10}
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}}
  birthday: {points: 88, automatic: true}
"""
ADVANCE: Final = """mutation ($input: AdvanceClockInput!) { advanceClock(input: $input) {
  stoodAt clock { standsAt isSandbox movingUntil } heardEvents jobs { name runs done failures error }
  errors { code message ... on ClockGoesForward { clockAt movedUntil } ... on ClockTooFar { furthestAt movedUntil }
    ... on ClockMoving { movedUntil } ... on InvalidValue { field } ... on JobRunning { job } }
} }"""
CLOCK: Final = "{ clock { standsAt isSandbox movingUntil } }"
MEMBER: Final = """query ($id: ID!) { member(by: { id: $id }) {
  tier { id } points { available } transactions(first: 20) { nodes { effectiveAt entries { unit amount } } }
} }"""
BOUGHT: Final = """mutation ($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) { errors { code message } }
}"""
BORN: Final = "mutation ($input: UpdateMemberInput!) { updateMember(input: $input) { errors { code } } }"


@pytest.fixture
async def sandbox(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, sandbox=True) as shop:
        yield shop
    sqlite_folder.done(url)


async def advance(shop: Shop, *, role: Role = Role.OPERATOR, **input: str) -> Any:
    return (await shop.ask(ADVANCE, {"input": input}, role=role))["advanceClock"]


async def buy(shop: Shop, member: str, yuan: str, reference: str) -> None:
    asked = {
        "member": {"id": member}, "reference": reference, "amount": {"amount": yuan, "currency": "CNY"},
        "idempotencyKey": reference,
    }  # fmt: skip
    assert (await shop.ask(BOUGHT, {"input": asked}))["recordPurchase"]["errors"] == []


def by_name(moved: Any) -> Mapping[str, Any]:
    return {job["name"]: job for job in moved["jobs"]}


async def test_a_year_passes_and_all_that_is_due_in_it_is_done_on_its_day(sandbox: Shop) -> None:
    ann = await sandbox.enrol("ann")
    born = {"member": {"id": ann}, "birthday": "1990-09-10", "idempotencyKey": "born"}
    assert (await sandbox.ask(BORN, {"input": born}))["updateMember"]["errors"] == []
    await buy(sandbox, ann, "100.00", "A1")

    moved = await advance(sandbox, by="P12M")

    assert moved["errors"] == []
    assert (moved["stoodAt"], moved["clock"]["standsAt"]) == ("2026-06-01T12:00:00Z", "2027-06-01T12:00:00Z")
    member = (await sandbox.ask(MEMBER, {"id": ann}))["member"]
    assert member["points"]["available"] == 0
    happened = [
        (done["effectiveAt"], entry["amount"]) for done in member["transactions"]["nodes"] for entry in done["entries"]
    ]
    assert happened == [
        ("2026-12-09T16:00:00Z", -88),  # three months after the birthday, at 00:00 in Shanghai
        ("2026-09-09T16:05:00Z", 88),  # when the job has its turn on that day
        ("2026-08-31T16:00:00Z", -100),
        ("2026-06-01T12:00:00Z", 100),
    ]
    done = by_name(moved)
    assert (done["expire"]["done"], done["birthday"]["done"], done["remind"]["done"]) == (2, 1, 2)
    assert {job["failures"] for job in moved["jobs"]} == {0}
    assert moved["heardEvents"] >= 0
    # The row of a job is as if it had run all the time.
    row = await JobRow.get(name="birthday")
    assert row.runs == 365
    assert row.owner is None
    assert row.next_at == datetime(2027, 6, 1, 16, 5, tzinfo=UTC)
    await sandbox.laurel.jobs.work()
    assert (await sandbox.ask(MEMBER, {"id": ann}))["member"] == member


async def test_a_tier_that_was_not_kept_is_lost_after_the_warning_and_the_grace(sandbox: Shop) -> None:
    ann = await sandbox.enrol("ann")
    await buy(sandbox, ann, "100.00", "A1")
    risen = (await sandbox.ask(MEMBER, {"id": ann}))["member"]["tier"]["id"]

    moved = await advance(sandbox, by="P3M")

    fallen = (await sandbox.ask(MEMBER, {"id": ann}))["member"]["tier"]["id"]
    assert [read_id(tier)[1] for tier in (risen, fallen)] == ["silver", "regular"]
    assert by_name(moved)["tiers"]["done"] >= 2


async def test_the_clock_goes_on_from_where_it_was_moved(sandbox: Shop) -> None:
    await advance(sandbox, by="P1D")
    sandbox.clock.advance(timedelta(minutes=5))

    clock = (await sandbox.ask(CLOCK, role=Role.ANALYST))["clock"]

    assert clock == {"standsAt": "2026-06-02T12:05:00Z", "isSandbox": True, "movingUntil": None}


async def test_days_and_months_are_those_of_the_programmes_zone(sandbox: Shop) -> None:
    until = await advance(sandbox, until="2026-08-31T00:30:00+08:00")
    month = await advance(sandbox, by="P1M")
    rest = await advance(sandbox, by="P1W1DT90M")

    assert until["clock"]["standsAt"] == "2026-08-30T16:30:00Z"
    assert month["clock"]["standsAt"] == "2026-09-29T16:30:00Z"  # September has no 31st
    assert rest["clock"]["standsAt"] == "2026-10-07T18:00:00Z"


REFUSED: Final = [
    ({}, {"code": "INVALID_VALUE", "field": "by"}),
    ({"by": "P1D", "until": "2026-07-01T00:00:00Z"}, {"code": "INVALID_VALUE", "field": "by"}),
    (
        {"until": "2026-06-01T12:00:00Z"},
        {"code": "CLOCK_GOES_FORWARD", "clockAt": "2026-06-01T12:00:00Z", "movedUntil": "2026-06-01T12:00:00Z"},
    ),
    ({"by": "PT0S"}, {"code": "CLOCK_GOES_FORWARD"}),
    (
        {"by": "P3Y"},
        {"code": "CLOCK_TOO_FAR", "furthestAt": "2028-06-02T12:00:00Z", "movedUntil": "2029-06-01T12:00:00Z"},
    ),
    ({"by": "P9999Y9999M"}, {"code": "CLOCK_TOO_FAR"}),
]


@pytest.mark.parametrize(("input", "said"), REFUSED)
async def test_what_cannot_be_meant_moves_nothing(sandbox: Shop, input: Any, said: dict[str, str]) -> None:
    moved = await advance(sandbox, **input)

    (error,) = moved["errors"]
    assert said.items() <= error.items()
    assert (moved["stoodAt"], moved["clock"], moved["jobs"]) == (None, None, [])
    assert (await sandbox.ask(CLOCK))["clock"]["standsAt"] == "2026-06-01T12:00:00Z"
    assert (await advance(sandbox, by="PT1H"))["errors"] == []


@pytest.mark.parametrize("written", ["12 months", "P", "PT", "P1.5D", "-P1D", "P1H", "P1D2M", "", "p1d", 12, "P1D\n"])
async def test_what_is_no_duration_is_a_malformed_request(sandbox: Shop, written: object) -> None:
    answer = await sandbox.post(ADVANCE, {"input": {"by": written}}, role=Role.OPERATOR)

    (error,) = answer["errors"]
    assert "a duration of ISO 8601 is needed" in error["message"]


@pytest.mark.parametrize("role", [Role.PARTNER, Role.ANALYST])
async def test_who_only_looks_moves_no_clock(sandbox: Shop, role: Role) -> None:
    answer = await sandbox.post(ADVANCE, {"input": {"by": "P1D"}}, role=role)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_operators_admins_and_the_brands_backend_move_it_and_members_do_not(sandbox: Shop) -> None:
    ann = await sandbox.enrol("ann")
    for role in (Role.OPERATOR, Role.SERVICE, Role.ADMIN):
        assert (await advance(sandbox, role=role, by="PT1H"))["errors"] == []

    answer = await sandbox.post(ADVANCE, {"input": {"by": "PT1H"}}, member=ann)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert (await sandbox.ask(CLOCK, member=ann))["clock"]["standsAt"] == "2026-06-01T15:00:00Z"


async def test_the_audit_log_says_who_moved_it_from_where(sandbox: Shop) -> None:
    await advance(sandbox, by="P1D")

    log = await sandbox.ask(
        "{ auditLog(first: 1) { nodes { mutation facts { name before after } } } }", role=Role.ADMIN
    )

    (record,) = log["auditLog"]["nodes"]
    moved = {"name": "clock", "before": "2026-06-01T12:00:00Z", "after": "2026-06-02T12:00:00Z"}
    assert record == {"mutation": "advanceClock", "facts": [moved]}


# -- what goes by the machine's clock ----------------------------------------------------------------


async def test_a_token_and_a_key_outlive_the_year_and_end_by_the_machines_clock(sandbox: Shop) -> None:
    made = await sandbox.ask(
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret errors { code } } }",
        {"input": {"name": "till", "role": "SERVICE", "expiresAt": "2026-06-01T13:00:00Z"}},
        role=Role.ADMIN,
    )
    bearers = [f"Bearer {made['createApiKey']['secret']}", f"Bearer {sandbox.token(Role.SERVICE)}"]

    async def statuses() -> list[int]:
        asked = [
            sandbox.client.post("/graphql", json={"query": CLOCK}, headers={"Authorization": bearer})
            for bearer in bearers
        ]
        return [response.status_code for response in await asyncio.gather(*asked)]

    await advance(sandbox, by="P12M")
    after_a_year = await statuses()
    sandbox.clock.advance(timedelta(hours=1, minutes=2))

    assert after_a_year == [200, 200]
    assert await statuses() == [401, 401]


async def test_a_job_that_somebody_runs_is_waited_for_and_not_taken(
    sandbox: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PATIENCE_SECONDS", 0.1)
    await sandbox.laurel.jobs.prepare()
    held = {"owner": "another", "leased_until": sandbox.clock.now() + timedelta(seconds=60), "started_at": NOON}
    await JobRow.filter(name="expire").update(**held)

    refused = await advance(sandbox, by="P12M")

    (error,) = refused["errors"]
    assert (error["code"], error["job"]) == ("JOB_RUNNING", "expire")
    assert (await JobRow.get(name="expire")).owner == "another"
    assert await JobRow.filter(owner__not_isnull=True).count() == 1
    # They die, and their lease runs out: by the machine's clock.
    sandbox.clock.advance(timedelta(seconds=61))
    assert (await advance(sandbox, by="P1D"))["errors"] == []


async def test_who_delivers_an_event_keeps_it_and_what_waits_for_its_hour_is_due(sandbox: Shop) -> None:
    now = sandbox.clock.now()
    ids = []
    for after in (LEASE, timedelta(hours=8), timedelta(days=3)):
        row = await OutboxRow.create(
            id=new_id(),
            bucket=0,
            member_id="",
            name="a",
            payload={},
            recorded_at=now,
            consumer="x:nobody",
            leased_until=now + after,
            tries=1,
        )
        ids.append(row.id)

    await advance(sandbox, by="P1D")

    until = [(await OutboxRow.get(id=id)).leased_until for id in ids]
    assert until[0] == now + LEASE
    assert until[1] is not None
    assert until[1] <= now
    assert until[2] == now + timedelta(days=2)


async def test_two_do_not_move_it_at_once(sandbox: Shop) -> None:
    moves = await asyncio.gather(advance(sandbox, by="P3M"), advance(sandbox, by="P2M"))

    (refused,) = [move for move in moves if move["errors"]]
    (moved,) = [move for move in moves if not move["errors"]]
    assert refused["errors"][0]["code"] == "CLOCK_MOVING"
    assert (await sandbox.ask(CLOCK))["clock"]["standsAt"] == moved["clock"]["standsAt"]


async def test_who_died_on_the_way_leaves_the_clock_to_the_next_after_the_lease(sandbox: Shop) -> None:
    on_its_way = datetime(2027, 1, 1, tzinfo=UTC)
    lease = sandbox.clock.now() + timedelta(seconds=60)
    await ClockRow.filter(id=1).update(owner="dead", leased_until=lease, moving_to=on_its_way)

    seen = (await sandbox.ask(CLOCK))["clock"]["movingUntil"]
    refused = await advance(sandbox, by="P1D")
    sandbox.clock.advance(timedelta(seconds=60))
    gone = (await sandbox.ask(CLOCK))["clock"]["movingUntil"]
    moved = await advance(sandbox, by="P1D")

    assert (seen, gone) == ("2027-01-01T00:00:00Z", None)
    (error,) = refused["errors"]
    assert (error["code"], error["movedUntil"]) == ("CLOCK_MOVING", "2027-01-01T00:00:00Z")
    assert moved["errors"] == []


async def test_every_process_has_the_same_clock(sandbox: Shop) -> None:
    laurel = sandbox.laurel
    other = ProgrammeClock(sandbox.clock)
    programmes = Programmes(partial(load_document, laurel.plugins), other)
    await programmes.refresh(laurel.store.reader())
    await advance(sandbox, by="P6M")
    before = other.now()

    await programmes.refresh(laurel.store.reader())

    assert (before, other.now()) == (NOON, laurel.clock.now())
    assert laurel.clock.now() == datetime(2026, 12, 1, 12, tzinfo=UTC)


# -- what is a sandbox -------------------------------------------------------------------------------


async def test_a_plain_database_has_the_machines_clock(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS) as shop:
        refused = await advance(shop, by="P1D")
        clock = (await shop.ask(CLOCK))["clock"]
        with pytest.raises(SandboxTooLate):
            await make_sandbox()

        assert [error["code"] for error in refused["errors"]] == ["NOT_A_SANDBOX"]
        assert clock == {"standsAt": "2026-06-01T12:00:00Z", "isSandbox": False, "movingUntil": None}
        assert await ClockRow.filter(is_sandbox=True).count() == 0


async def test_a_database_of_before_there_were_sandboxes_becomes_none(sandbox: Shop) -> None:
    await ClockRow.all().delete()

    with pytest.raises(SandboxTooLate):
        await make_sandbox()


async def test_a_sandbox_is_made_once_and_for_all_who_have_it_open(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), None, plugins=PLUGINS) as shop:
        made = [await make_sandbox(), await make_sandbox()]
        no_programme = await advance(shop, by="P1D")
        await publish(PROGRAMME, author="a test", reason="to begin", load=shop.laurel.load, clock=shop.laurel.clock)
        await shop.laurel.programmes.refresh(shop.laurel.store.reader())
        moved = await advance(shop, by="P1D")

    assert made == [True, False]
    # Who had it open before learns of it with the first version.
    assert [error["code"] for error in no_programme["errors"]] == ["NOT_A_SANDBOX"]
    assert moved["errors"] == []


async def test_a_live_installation_refuses_a_sandbox(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, sandbox=True):
        pass
    said = {"LAUREL_DATABASE_URL": url, "LAUREL_SECRET": SECRET}
    live = Settings.from_environment(said | {"LAUREL_LIVE": "yes"})

    with pytest.raises(SandboxNotLive):
        async with open_laurel(live, plugins=PLUGINS, clock=StoppedClock(NOON)):
            pass

    async with open_laurel(Settings.from_environment(said), plugins=PLUGINS, clock=StoppedClock(NOON)) as laurel:
        assert (laurel.settings.live, laurel.clock.is_sandbox) == (False, True)
