"""Batches: operations that see one another, refusals that leave nothing, replays that answer the same, and the rows.

The last test is the strongest: however the same operations are split into batches, the tables end byte for byte equal.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, ById
from core.channels.corrections import AdjustPoints, ExpirePoints, ReverseTransaction
from core.channels.redemption import CaptureHold, HoldPoints, RedeemPoints, ReleaseHold
from core.engine.batch import Rules, Ticket, perform
from core.engine.operations import Operation, Outcome
from core.engine.work import Work
from core.errors import IdempotencyKeyMismatch, MemberNotFound
from core.oversight.verify import verify
from core.people.membership import EnrolMember, UpdateMember
from core.store import Store
from core.store.databases import connect
from core.telling.event_types import EVENT_TYPES
from core.telling.events import Delivery, Event, Outgoing
from core.time.clock import StoppedClock
from tests.core.committing import APPS, BEGIN, PROGRAMME, Desk, Give, dump, open_desk, publish, rules
from tests.databases import Server

# -- what operations see ------------------------------------------------------------------------------


async def test_operations_of_one_member_in_one_batch_see_one_another(desk: Desk) -> None:
    who = ByExternalId("ann")
    before = desk.committer.batches

    outcomes = await desk.committer.submit_many(
        [
            EnrolMember(**desk.request(who, "enrol")),
            Give(**desk.request(who, "first"), points=30),
            RedeemPoints(**desk.request(who, "most"), points=25),
            RedeemPoints(**desk.request(who, "too much"), points=6),
            Give(**desk.request(who, "first"), points=30),
            HoldPoints(**desk.request(who, "hold"), points=5),
            CaptureHold(**desk.request(who, "capture"), hold=1, points=2),
            EnrolMember(**desk.request(who, "again")),
        ]
    )

    assert desk.committer.batches == before + 1
    assert [outcome.refusal and outcome.refusal.code for outcome in outcomes if isinstance(outcome, Outcome)] == [
        None, None, None, "INSUFFICIENT_POINTS", None, None, None, "MEMBER_ALREADY_ENROLLED",
    ]  # fmt: skip
    enrolled, first, _, _, again, *_ = outcomes
    assert isinstance(enrolled, Outcome)
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert enrolled.member_id
    assert (again.replayed, again.recorded) == (True, first.recorded)
    account = await desk.account(ById(enrolled.member_id))
    assert (account.credited, account.debited, account.held, account.seq) == (30, 27, 0, 4)
    assert await verify(desk.store.reader()) == []


async def test_a_member_is_found_by_either_name_in_one_batch(desk: Desk) -> None:
    ann = await desk.enrol("ann")

    await desk.committer.submit_many(
        [Give(**desk.request(who), points=1) for who in (ann, ByExternalId("ann"), ann, ByExternalId("ann"))]
    )

    assert await desk.lots(ann) == [1, 1, 1, 1]


# -- refusals -----------------------------------------------------------------------------------------


async def test_a_refusal_leaves_nothing_but_itself(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 10)
    before = await desk.everything()
    requests = [
        RedeemPoints(**desk.request(ann), points=11),
        CaptureHold(**desk.request(ann), hold=1),
        ReverseTransaction(**desk.request(ann), transaction="nothing", reason="no reason"),
        AdjustPoints(**desk.request(ann), points=0, reason="no reason"),
        Give(**desk.request(ann), points=5, unit="stars"),
    ]

    outcomes = await desk.committer.submit_many(requests)

    after = await desk.everything()
    assert len(after.pop("operation")) == len(before.pop("operation")) + len(requests)
    assert after == before
    assert [outcome.refusal.code for outcome in outcomes if isinstance(outcome, Outcome) and outcome.refusal] == [
        "INSUFFICIENT_POINTS", "HOLD_NOT_FOUND", "TRANSACTION_NOT_FOUND", "INVALID_AMOUNT", "UNKNOWN_UNIT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "operation",
    [
        RedeemPoints(member=ByExternalId("nobody"), idempotency_key="k", actor="a", points=1),
        RedeemPoints(member=ById("nobody"), idempotency_key="k", actor="a", points=1),
        EnrolMember(member=ByExternalId("x" * 129), idempotency_key="k", actor="a"),
        EnrolMember(member=ByExternalId(""), idempotency_key="k", actor="a"),
        EnrolMember(member=ByExternalId("a\0b"), idempotency_key="k", actor="a"),
        EnrolMember(member=ByExternalId("a\ud800"), idempotency_key="k", actor="a"),
        EnrolMember(member=ByExternalId("x"), idempotency_key="", actor="a"),
        EnrolMember(member=ByExternalId("x"), idempotency_key="k\0", actor="a"),
        EnrolMember(member=ByExternalId("x"), idempotency_key="k" * 201, actor="a"),
        RedeemPoints(member=ById("\0"), idempotency_key="k", actor="a", points=1),
        EnrolMember(member=ByExternalId("x"), idempotency_key="k", actor="a", enrolled_at=BEGIN + timedelta(days=1)),
    ],
)
async def test_who_is_no_member_leaves_no_trace_at_all(desk: Desk, operation: Operation) -> None:
    before = await desk.everything()

    outcome = await desk.submit(operation)

    assert outcome.refusal
    assert (outcome.member_id, outcome.recorded) == (None, None)
    assert await desk.everything() == before


async def test_a_programme_that_has_not_begun_judges_nothing(connected: TortoiseContext) -> None:
    async with open_desk(programme="") as desk:
        outcome = await desk.submit(EnrolMember(**desk.request(ByExternalId("ann"))))
        assert outcome.refusal
        assert outcome.refusal.code == "PROGRAMME_NOT_FOUND"

        await publish()
        assert await desk.enrol("ann")


# -- replays ------------------------------------------------------------------------------------------


async def test_a_replay_answers_the_same_also_when_it_was_refused(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    operations: list[Operation] = [
        AdjustPoints(**desk.request(ann), points=1_500, reason="a gift"),
        RedeemPoints(**desk.request(ann), points=20, reference="voucher"),
        RedeemPoints(**desk.request(ann), points=5_000),
        UpdateMember(**desk.request(ann), attributes={"tags": ["tea", "music"], "size": {"shoe": 38}}),
    ]
    first = [await desk.submit(operation) for operation in operations]
    before = await desk.everything()

    desk.clock.advance(timedelta(days=400))
    again = await desk.committer.submit_many(operations)

    for one, two in zip(first, again, strict=True):
        assert isinstance(two, Outcome)
        assert (one.replayed, two.replayed) == (False, True)
        assert (one.member_id, one.recorded) == (two.member_id, two.recorded)
        assert repr(one.refusal) == repr(two.refusal)
    assert await desk.everything() == before


async def test_a_key_that_was_used_for_another_request_is_refused(desk: Desk) -> None:
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    await desk.accepted(Give(**desk.request(ann, "order:1"), points=10))
    before = await desk.everything()

    for other in (
        Give(**desk.request(ann, "order:1"), points=11),
        Give(**desk.request(ann, "order:1"), points=10, unit="growth"),
        Give(**desk.request(ann, "order:1"), points=10, earned_at=BEGIN),
    ):
        outcome = await desk.submit(other)
        assert isinstance(outcome.refusal, IdempotencyKeyMismatch)
        assert outcome.recorded is None
    assert await desk.everything() == before

    # The same key is another one for another member, and for another channel.
    await desk.accepted(Give(**desk.request(ben, "order:1"), points=11))
    await desk.accepted(RedeemPoints(**desk.request(ann, "order:1"), points=10))


async def test_the_longest_names_are_kept_whole(desk: Desk) -> None:
    name, key = "🎁" * 128, "é" * 200

    first = await desk.accepted(EnrolMember(**desk.request(ByExternalId(name), key)))
    again = await desk.accepted(EnrolMember(**desk.request(ByExternalId(name), key)))

    assert (first.recorded, again.replayed) == (again.recorded, True)


@pytest.mark.parametrize("key", ["Order", "order ", "örder", "ORDER", "order\t", " order", "🎁" * 50, "o'rd\\er%s{}"])
async def test_keys_and_names_that_differ_in_any_letter_are_different(desk: Desk, key: str) -> None:
    order, other = await desk.enrol("order"), await desk.enrol(key)
    assert order != other

    await desk.accepted(Give(**desk.request(order, "order"), points=1))
    outcome = await desk.accepted(Give(**desk.request(order, key), points=2))
    again = await desk.accepted(Give(**desk.request(ByExternalId(key), key), points=4))

    assert not outcome.replayed
    assert again.member_id == other.id
    assert await desk.lots(order) == [1, 2]
    assert (await desk.submit(Give(**desk.request(ById(order.id.upper()), "k"), points=1))).refusal


# -- events, reactions, programmes --------------------------------------------------------------------


async def test_reactions_see_events_and_only_those_that_are_wanted_leave(connected: TortoiseContext) -> None:
    seen: list[tuple[str, str]] = []

    async def upgrade_gift(event: Event, work: Work) -> None:
        seen.append((event.name, work.member.tier))
        if event.name == "tier.changed":
            await work.earn(100)
            work.tell("gift.given", points=100)

    wanted = ("tier.changed", "gift.given")
    async with open_desk(settings=rules(StoppedClock(BEGIN), reactions=[upgrade_gift], outgoing=wanted)) as desk:
        ann = await desk.enrol("ann")
        outcome = await desk.accepted(Give(**desk.request(ann), points=5_000))

        assert seen == [
            ("member.enrolled", "regular"),
            ("tallies.counted", "regular"),
            ("tier.changed", "gold"),
            ("gift.given", "gold"),
            ("tallies.counted", "gold"),
        ]
        assert outcome.result["events"] == [
            {"name": "tier.changed", "former": "regular", "tier": "gold", "cause": "earned"},
            {"name": "gift.given", "points": 100},
        ]
        assert [(row.name, row.consumer) for row in await desk.rows(Outgoing, ann)] == [
            ("tier.changed", "somebody"),
            ("gift.given", "somebody"),
        ]
        assert await desk.lots(ann) == [5_000, 100]

        before = await desk.everything()
        await desk.submit(RedeemPoints(**desk.request(ann), points=9_999))
        assert (await desk.everything())["outbox"] == before["outbox"]


async def test_what_a_transaction_left_in_the_books_leaves_where_somebody_waits_for_it(
    connected: TortoiseContext,
) -> None:
    async with open_desk(settings=rules(StoppedClock(BEGIN), outgoing=["transaction.recorded"])) as desk:
        ann = await desk.enrol("ann")
        transaction = await desk.give(ann, 50)
        outcome = await desk.accepted(RedeemPoints(**desk.request(ann), points=20))

        earned, spent = await desk.rows(Outgoing, ann)

    assert earned.payload == {
        "transaction": transaction,
        "channel": "test",
        "kind": "give",
        "reverses": None,
        "entries": [{"unit": "points", "seq": 1, "amount": 50, "held": 0, "contra": "issuance", "balance": 50}],
    }
    assert [entry["balance"] for entry in spent.payload["entries"]] == [30]
    assert "events" not in outcome.result
    message = EVENT_TYPES["transaction.recorded"].message(
        Delivery(spent.event_id, ann.id, spent.name, spent.payload, spent.recorded_at), member={"externalId": "ann"}
    )
    assert message["data"]["entries"][0]["contra"] == "redemption"


async def test_reactions_that_answer_one_another_without_end_are_a_defect(connected: TortoiseContext) -> None:
    async def echo(event: Event, work: Work) -> None:
        work.tell("echo")

    async with open_desk(settings=rules(StoppedClock(BEGIN), reactions=[echo])) as desk:
        before = await desk.everything()
        with pytest.raises(RuntimeError, match="without end"):
            await desk.enrol("ann")
        assert await desk.everything() == before


async def test_a_version_that_was_published_meanwhile_judges_the_next_batch(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    before = await desk.accepted(Give(**desk.request(ann), points=1))

    await publish(PROGRAMME + "units: {stars: {}}\n", number=2, starts_at=BEGIN + timedelta(days=1))
    still = await desk.accepted(Give(**desk.request(ann), points=1))
    desk.clock.advance(timedelta(days=1))
    after = await desk.accepted(Give(**desk.request(ann), points=1, unit="stars"))

    versions = [outcome.recorded.programme_version for outcome in (before, still, after) if outcome.recorded]
    assert versions == [1, 1, 2]
    assert (await desk.account(ann, "stars")).balance == 1
    assert (await desk.accepted(RedeemPoints(**desk.request(ann), points=1, unit="stars"))).accepted
    assert await verify(desk.store.reader()) == []


async def test_what_is_written_does_not_depend_on_the_rest_of_the_batch_failing(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 5)

    outcomes = await desk.committer.submit_many(
        [RedeemPoints(**desk.request(ann), points=points) for points in (3, 3, 2, 1)]
    )

    assert [isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes] == [True, False, True, False]
    assert (await desk.account(ann)).balance == 0


async def test_an_unknown_member_is_refused_by_the_name_that_was_asked_for(desk: Desk) -> None:
    by_id = await desk.submit(RedeemPoints(**desk.request(ById("x")), points=1))
    by_name = await desk.submit(RedeemPoints(**desk.request(ByExternalId("y")), points=1))

    for outcome, name in ((by_id, "x"), (by_name, "y")):
        assert isinstance(outcome.refusal, MemberNotFound)
        assert outcome.refusal.member == name


# -- batches against singles against splits -----------------------------------------------------------

MEMBERS = 3
Split = Sequence[int]


def _operations(drawn: Iterable[tuple[Any, ...]]) -> list[Operation]:
    """The drawn verbs as operations; transactions are named by the number of the operation that made them."""
    operations: list[Operation] = []
    for number, (verb, who, amount, other, key) in enumerate(drawn):
        request: dict[str, Any] = {
            "member": ByExternalId(f"member {who}"),
            "idempotency_key": f"key {number if key is None else key}",
            "actor": "a split",
        }
        target = f"operation {other}"
        match verb:
            case "enrol":
                request["member"] = ByExternalId(f"new {who}")
                operations.append(EnrolMember(**request))
            case "give":
                # Earned on different days, so that lots don't expire in the order in which they were made.
                day = BEGIN - timedelta(days=other * 37 % 500)
                operations.append(Give(**request, points=amount, earned_at=day, pending_days=500 * (other % 4 == 3)))
            case "growth":
                operations.append(Give(**request, points=amount, unit="growth"))
            case "adjust":
                operations.append(AdjustPoints(**request, points=amount - 20, reason="a split"))
            case "redeem":
                operations.append(RedeemPoints(**request, points=amount))
            case "hold":
                at = BEGIN - timedelta(hours=1) if other % 3 == 0 else None
                operations.append(HoldPoints(**request, points=amount, at=at))
            case "capture":
                operations.append(CaptureHold(**request, hold=other % 3 + 1, points=amount))
            case "release":
                operations.append(ReleaseHold(**request, hold=other % 3 + 1))
            case "reverse":
                points = None if amount % 2 else amount
                operations.append(ReverseTransaction(**request, transaction=target, points=points, reason="a split"))
            case "expire":
                operations.append(ExpirePoints(**request))
            case "profile":
                operations.append(UpdateMember(**request, attributes={f"likes {other}": amount}))
    return operations


VERBS = ("give", "give", "redeem", "hold", "capture", "release", "reverse", "reverse", "adjust", "growth", "expire",
         "profile", "enrol")  # fmt: skip
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.integers(0, MEMBERS - 1),
        st.integers(1, 60),
        st.integers(0, 30),
        st.none() | st.none() | st.none() | st.integers(0, 30),
    ),
    min_size=5,
    max_size=30,
)
SPLITS = st.lists(st.integers(1, 8), min_size=1, max_size=30)


async def rows_after(url: str, operations: Sequence[Operation], split: Split) -> dict[str, list[tuple[Any, ...]]]:
    """All rows after the operations were performed in batches of these sizes, the last size over and over."""
    numbers = count(1)
    clock = StoppedClock(BEGIN)
    made = rules(clock)
    settings = Rules(programmes=made.programmes, clock=clock, new_id=lambda: f"member {next(numbers)}")
    store = Store()
    async with connect(url, APPS):
        await publish()
        first = [
            Ticket(EnrolMember(member=ByExternalId(f"member {n}"), idempotency_key="e", actor="a split"), f"enrol {n}")
            for n in range(MEMBERS)
        ]
        tickets = [Ticket(operation, f"operation {number}") for number, operation in enumerate(operations)]
        batches = [first]
        at, sizes = 0, list(split)
        while at < len(tickets):
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            batches.append(tickets[at : at + size])
            at += size
        for batch in batches:
            async with store.transaction() as writer:
                await perform(batch, writer, settings)
        assert [ticket.defect for ticket in tickets if ticket.defect] == []
        assert await verify(store.reader()) == []
        return await dump(store.reader())


def _check_splits(server: Server, drawn: list[tuple[Any, ...]], split: Split) -> None:
    operations = _operations(drawn)
    results = []
    for sizes in ([len(operations)], [1], split):
        url = server.migrated(APPS)
        try:
            results.append(asyncio.run(rows_after(url, operations, sizes)))
        finally:
            server.done(url)
    whole, singles, parts = results
    assert whole == singles
    assert whole == parts


DEEP = 20 if os.environ.get("LAUREL_TEST_DEEP") else 1
EXAMPLES = {"sqlite": 25 * DEEP, "postgres": 3 * DEEP, "mysql": 3 * DEEP}


def test_any_split_into_batches_leaves_the_same_rows(database_server: Server, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["database_server"]

    @settings(max_examples=EXAMPLES[kind], deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(DRAWN, SPLITS)
    def check(drawn: list[tuple[Any, ...]], split: list[int]) -> None:
        _check_splits(database_server, drawn, split)

    check()


def test_lots_that_expire_in_another_order_than_they_were_made_are_given_back_alike(database_server: Server) -> None:
    drawn = [
        ("give", 0, 30, 1, None),
        ("give", 0, 30, 5, None),
        ("redeem", 0, 50, 0, None),
        ("reverse", 0, 24, 2, None),
        ("redeem", 0, 10, 0, None),
        ("reverse", 0, 2, 4, None),
    ]
    _check_splits(database_server, drawn, [3])
