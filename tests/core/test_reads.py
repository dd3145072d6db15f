"""Reads inside of operations: asked together, once for each key, in as many statements as there are questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from core.books.accounts import Entry
from core.books.figures import BALANCES, TOTALS, Balances, Totals
from core.books.holds import Hold
from core.books.lots import Lot
from core.books.members import ByExternalId, Member, TierChange, bucket_of
from core.engine.operations import Foreseen, Operation, Outcome, Recorded
from core.engine.reads import Read
from core.engine.work import Work
from core.errors import InvalidValue
from core.store.dialect import Reader
from core.store.questions import Rows
from core.store.sqlite import Sqlite
from core.store.tables import table_of
from tests.core.committing import Desk, Give, statements


@dataclass(frozen=True)
class Twice:
    """A question of a channel's own: twice a number, in one statement; nothing is known of negative ones."""

    asked: list[Sequence[int]] = field(default_factory=list, compare=False)

    async def answer(self, reader: Reader, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(tuple(keys))
        if 13 in keys:
            raise ValueError("unlucky")
        return {key: 2 * key for key in keys if key >= 0}


@dataclass(frozen=True, kw_only=True)
class Ask(Operation):
    """Asks a question about each of its numbers, one after the other, and then for its member's lots."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "ask"
    question: ClassVar[Twice] = Twice()

    numbers: tuple[int, ...]

    async def perform(self, work: Work) -> dict[str, Any]:
        answers = [await Read(self.question, number) for number in self.numbers]
        lots: list[Lot] = await work.rows(Lot)
        again: list[Lot] = await work.rows(Lot)
        assert lots == again
        return {"answers": answers, "lots": [lot.amount for lot in lots]}


async def asking(desk: Desk, *numbers: tuple[int, ...]) -> list[Any]:
    """The answers that a new member each gets for these numbers, and what was asked of the database."""
    members = [await desk.enrol(f"member {number}") for number, _ in enumerate(numbers)]
    for amount, member in enumerate(members, 1):
        await desk.accepted(Give(**desk.request(member), points=amount))
    Ask.question.asked.clear()
    outcomes = await desk.committer.submit_many(
        Ask(**desk.request(member), numbers=each) for member, each in zip(members, numbers, strict=True)
    )
    return [dict(outcome.result) if isinstance(outcome, Outcome) else outcome for outcome in outcomes]


async def test_what_many_ask_at_once_is_asked_once_and_each_hears_its_own_answer(desk: Desk) -> None:
    results = await asking(desk, (1, 2), (1,), (), (3, -1, 5), (1, 2))

    assert results == [
        {"answers": [2, 4], "lots": [1]},
        {"answers": [2], "lots": [2]},
        {"answers": [], "lots": [3]},
        {"answers": [6, None, 10], "lots": [4]},
        {"answers": [2, 4], "lots": [5]},
    ]
    # In rounds: everybody's first number, everybody's second … and each number once.
    assert Ask.question.asked == [(1, 3), (2, -1), (5,)]


async def test_those_who_wait_for_the_same_table_share_a_statement(desk: Desk) -> None:
    with statements() as few:
        await asking(desk, (), ())
    lots_of_two = [statement for statement in few if "lot t" in statement and "SELECT" in statement]
    with statements() as many:
        members = [await desk.enrol(f"other {number}") for number in range(20)]
        few_of_them = len(many)
        await desk.committer.submit_many(Ask(**desk.request(member), numbers=()) for member in members)

    assert len(lots_of_two) == 1
    assert sum("lot t" in statement for statement in many[few_of_them:]) == 1


async def test_a_question_that_cannot_be_answered_fails_only_those_who_asked_it(desk: Desk) -> None:
    results = await asking(desk, (1,), (13,), (2,))

    assert isinstance(results.pop(1), ValueError)
    assert results == [{"answers": [2], "lots": [1]}, {"answers": [4], "lots": [3]}]


async def test_operations_of_one_member_ask_one_after_the_other(desk: Desk) -> None:
    ann = await desk.enrol()
    Ask.question.asked.clear()

    outcomes = await desk.committer.submit_many(
        [
            Ask(**desk.request(ann), numbers=(1,)),
            Give(**desk.request(ann), points=7),
            Ask(**desk.request(ann), numbers=(1, 2)),
        ]
    )

    assert Ask.question.asked == [(1,), (1,), (2,)]
    first, _, last = (dict(outcome.result) for outcome in outcomes if isinstance(outcome, Outcome))
    assert (first["lots"], last["lots"]) == ([], [7])


async def test_sqlite_looks_rows_up_by_the_index_of_what_is_asked_for_and_not_through_all_of_a_members(
    desk: Desk,
) -> None:
    reader = desk.store.reader()
    if not isinstance(reader, Sqlite):
        pytest.skip("other databases know how many rows a member has")
    asked = ((Entry, ("bucket", "member_id", "operation_id")), (Recorded, ("bucket", "member_id", "id")))

    plans = [
        await reader.query(f"EXPLAIN QUERY PLAN {Sqlite._select(table_of(kind), by, '')}", ["[]"]) for kind, by in asked
    ]

    for plan, (_, by) in zip(plans, asked, strict=True):
        assert " AND ".join(f"{column}=?" for column in by) in str(plan[-1])


@pytest.mark.parametrize("kind", [Entry, Recorded])
async def test_a_glance_at_a_row_shows_what_its_value_holds(desk: Desk, kind: type) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 30)
    await desk.redeem(ann, 10)
    reader, key = desk.store.reader(), (bucket_of(ann.id), ann.id)

    found = (await Rows(kind, ("bucket", "member_id")).answer(reader, [key]))[key]
    glances = (await Rows(kind, ("bucket", "member_id"), glanced=True).answer(reader, [key]))[key]

    names = kind._fields  # type: ignore[attr-defined]  # a named tuple's
    assert len(found) >= 2
    assert sorted(tuple(map(str, one)) for one in found) == sorted(
        tuple(str(getattr(glance, name)) for name in names) for glance in glances
    )


async def test_of_a_glance_the_columns_can_be_named(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    await desk.give(ann, 30)
    await desk.redeem(ann, 10)
    reader, key = desk.store.reader(), (bucket_of(ann.id), ann.id)
    named = Rows(Entry, ("bucket", "member_id"), glanced=True, columns=("seq", "bucket", "effective_at", "member_id"))

    whole = (await Rows(Entry, ("bucket", "member_id")).answer(reader, [key]))[key]
    glances = (await named.answer(reader, [key]))[key]
    together, _ = await reader.find_all([named.lookup([key]), Rows(Member, ("bucket", "id")).lookup([key])])

    assert sorted((entry.seq, entry.effective_at) for entry in whole) == sorted(
        (glance.seq, glance.effective_at) for glance in glances
    )
    assert sorted(glances) == sorted(together)
    assert {len(row) for row in together} == {4}
    with pytest.raises(AttributeError):
        _ = glances[0].amount


async def test_what_is_looked_up_together_is_what_is_looked_up_one_by_one(desk: Desk) -> None:
    ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
    await desk.give(ann, 30)
    await desk.give(bob, 20)
    reader, now = desk.store.reader(), desk.clock.now()
    members = [(bucket_of(member.id), member.id) for member in (ann, bob)]
    lookups = [
        Rows(Hold, ("bucket", "member_id")).lookup(members),
        Rows(Entry, ("bucket", "member_id")).lookup(members),
        BALANCES.lookup([Balances.key(member.id, "points", now) for member in (ann, bob)]),
        TOTALS.lookup([key for member in (ann, bob) for key in Totals.keys(member.id, [("points_earned", 0)])]),
        Rows(Member, ("bucket", "id")).lookup(members[:1]),
        Rows(TierChange, ("bucket", "member_id"), "t.number > 1000").lookup(members),
    ]

    together = await reader.find_all(lookups)

    alone = [await reader.find(lookup) for lookup in lookups]
    assert [sorted(rows, key=str) for rows in together] == [sorted(rows, key=str) for rows in alone]
    assert [len(rows) for rows in together] == [0, 2, 2, 2, 1, 0]
    assert {type(total) for *_, total in together[3]} <= {int, type(None)}
    assert [[] for _ in lookups[:1] * 2] == await reader.find_all([lookups[0], lookups[5]])


# -- what is foreseen ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Foresee(Operation):
    """Says beforehand that it is going to ask for the lots of a source, unless nothing can be called so."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "foresee"

    source: str

    def foresees(self) -> Sequence[Foreseen]:
        return ((Lot, "remaining > 0", {"source": self.source}),)

    async def perform(self, work: Work) -> dict[str, Any]:
        if not self.source.isprintable():
            raise InvalidValue(field="source", reason="it cannot be read")
        lots: list[Lot] = await work.rows(Lot, "remaining > 0", source=self.source)
        return {"lots": [lot.amount for lot in lots]}


@pytest.mark.parametrize("members", [3, 80])
async def test_what_is_foreseen_is_found_and_asked_once(desk: Desk, members: int) -> None:
    known = [await desk.enrol(f"member {number}") for number in range(members)]
    for amount, member in enumerate(known[1:], 1):
        await desk.give(member, amount)

    with statements() as sent:
        outcomes = await desk.committer.submit_many(Foresee(**desk.request(member), source="test") for member in known)

    found = [outcome.result["lots"] for outcome in outcomes if isinstance(outcome, Outcome)]
    assert found == [[], *([amount] for amount in range(1, members))]
    assert sum("lot t" in statement for statement in sent) == 1


async def test_a_batch_sends_five_statements_where_several_questions_are_one(desk: Desk) -> None:
    names = [ByExternalId(f"member {number}") for number in range(5)]
    for name in names:
        await desk.enrol(name.external_id)

    with statements() as sent:
        await desk.committer.submit_many(Give(**desk.request(name), points=5) for name in names)

    # The members by name, their accounts, all else of them, what they did for the ladder, and what is written.
    assert len(sent) == 5 or not desk.store.reader().joins, sent


async def test_what_an_operation_did_before_is_seen_by_who_had_foreseen_it(desk: Desk) -> None:
    ann = await desk.enrol("ann")

    _, outcome = await desk.committer.submit_many(
        [Give(**desk.request(ann), points=7), Foresee(**desk.request(ann), source="test")]
    )

    assert isinstance(outcome, Outcome)
    assert outcome.result["lots"] == [7]


@pytest.mark.parametrize("source", ["a\0b", "a\ud800"])
async def test_what_nothing_is_called_is_asked_of_no_database(desk: Desk, source: str) -> None:
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    await desk.give(ben, 3)

    bad, good = await desk.committer.submit_many(
        [Foresee(**desk.request(ann), source=source), Foresee(**desk.request(ben), source="test")]
    )

    assert isinstance(good, Outcome)
    assert good.result["lots"] == [3]
    assert not isinstance(bad, Outcome) or isinstance(bad.refusal, InvalidValue)
