"""What several requests ask at the same time goes to the database together, and nobody notices but the database."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import permutations
from typing import Any, NamedTuple

import asyncpg
import pytest

from core.books.accounts import Account, Entry
from core.books.holds import Hold
from core.books.lots import Lot
from core.books.members import Member, TierChange, bucket_of
from core.engine.operations import Recorded
from core.store import Store
from core.store.dialect import Lookup, Reader
from core.store.postgres import Postgres
from core.store.questions import Rows
from core.store.tables import Row, table_of
from core.store.watching import statements_watched
from graph import loaders as module
from graph.ids import read_id
from graph.loaders import Gathered, Key, Loaders
from graph.observing.trail import TRAIL, Trail
from graph.pages import Size, Slice, Where, newest
from graph.testing import Shop, open_shop
from plugins.manager import Plugins
from tests.graph.conftest import PROGRAMME


class Doubled:
    """A question whose answer is twice its key, once it may be answered. Nobody may ask about 13.

    Its statement counts itself as those of a database do where somebody watches: for whose context it is sent in.
    """

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may = asyncio.Event()

    async def answer(self, reader: Any, keys: Sequence[Key]) -> dict[Key, int]:
        self.asked.append([number for (number,) in keys])
        if (trail := TRAIL.get()) is not None:
            trail.statements += 1
        await self.may.wait()
        if (13,) in keys:
            raise LookupError("13")
        return {key: 2 * key[0] for key in keys}


class Joinable(Doubled):
    """One that may go with others, where the database has a way for it."""

    lookup = None


class NoStore:
    one_writer = False

    def reader(self) -> None:
        pass


@pytest.fixture
async def question() -> Doubled:
    return Doubled()


@pytest.fixture
async def gathered() -> Gathered:
    return Gathered(NoStore())  # type: ignore[arg-type]


def ask(gathered: Gathered, question: Doubled, *numbers: int) -> "asyncio.Future[list[int]]":
    """A request of its own that asks about these numbers."""
    return asyncio.ensure_future(Loaders(gathered).ask_all(question, [(number,) for number in numbers]))


async def turns(many: int = 5) -> None:
    for _ in range(many):
        await asyncio.sleep(0)


async def test_requests_that_ask_at_the_same_time_share_a_statement(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    answers = await asyncio.gather(
        ask(gathered, question, 1, 2), ask(gathered, question, 2), ask(gathered, question, 3)
    )
    assert [*answers] == [[2, 4], [4], [6]]
    assert question.asked == [[1, 2, 3]]


async def test_many_who_ask_each_for_something_else_are_answered_in_two_halves(
    gathered: Gathered, question: Doubled
) -> None:
    question.may.set()
    few, many = range(module.HALVED_MIN - 1), range(module.HALVED_MIN + 1)
    for numbers in (few, many):
        asked = [ask(gathered, question, number + 20) for number in numbers]
        assert await asyncio.gather(*asked) == [[2 * (number + 20)] for number in numbers]
    together = [ask(gathered, question, 20) for _ in many]
    assert await asyncio.gather(*together) == [[40]] * len(many)

    middle = (len(many) + 1) // 2
    assert question.asked == [
        [number + 20 for number in few],
        [number + 20 for number in many[:middle]],
        [number + 20 for number in many[middle:]],
        [20],
    ]


async def test_of_many_those_who_ask_the_same_are_in_one_half(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    asked = [ask(gathered, question, number % 4) for number in range(module.HALVED_MIN)]

    assert await asyncio.gather(*asked) == [[2 * (number % 4)] for number in range(module.HALVED_MIN)]

    assert question.asked == [[0, 1], [2, 3]]


async def test_who_comes_while_statements_are_on_their_way_waits_for_the_next(
    gathered: Gathered, question: Doubled
) -> None:
    begun = []
    for number in range(module.AT_ONCE):
        begun.append(ask(gathered, question, number))
        await turns()
    later = [ask(gathered, question, number) for number in (7, 8, 7)]
    await turns()
    assert question.asked == [[number] for number in range(module.AT_ONCE)]
    question.may.set()
    assert await asyncio.gather(*later) == [[14], [16], [14]]
    # What was on its way had been read, perhaps, before they asked.
    assert question.asked[module.AT_ONCE :] == [[7, 8]]
    await asyncio.gather(*begun)
    await turns()
    assert not gathered._lines, "nothing is kept of a question that nobody asks"


async def test_a_statement_that_takes_long_keeps_nobody_waiting(
    gathered: Gathered, question: Doubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONG_SECONDS", 0.01)
    asked = []
    for number in range(3 * module.AT_ONCE):
        asked.append(ask(gathered, question, number))
        await turns()
    async with asyncio.timeout(60):
        while sum(map(len, question.asked)) < 3 * module.AT_ONCE:  # noqa: ASYNC110  # nothing tells that it was asked
            await asyncio.sleep(0.01)
    # The first ones are not back yet, and all others have gone off.
    assert [number for numbers in question.asked for number in numbers] == [*range(3 * module.AT_ONCE)]
    question.may.set()
    assert await asyncio.gather(*asked) == [[2 * number] for number in range(3 * module.AT_ONCE)]
    await turns()
    assert not gathered._lines
    assert await ask(gathered, question, 1) == [2]


async def test_nobody_suffers_from_what_another_request_asks(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    good, bad = ask(gathered, question, 1, 2), ask(gathered, question, 13)
    assert await good == [2, 4]
    with pytest.raises(LookupError):
        await bad
    assert question.asked == [[1, 2, 13], [1, 2], [13]]


async def test_one_among_many_that_fails_costs_few_statements(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    asked = [ask(gathered, question, number) for number in range(64)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if answer != [2 * number]] == [13]
    assert isinstance(answers[13], LookupError)
    assert len(question.asked) == 2 + 2 * 5


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), asyncpg.QueryCanceledError()], ids=lambda e: type(e).__name__
)
async def test_what_is_the_database_s_own_trouble_is_not_asked_again_for_each(
    gathered: Gathered, question: Doubled, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = []

    async def broken(reader: Any, keys: Sequence[Key]) -> dict[Key, int]:
        statements.append(keys)
        raise error

    monkeypatch.setattr(question, "answer", broken)
    answers = await asyncio.gather(*(ask(gathered, question, number) for number in range(9)), return_exceptions=True)
    assert answers == [error] * 9
    assert len(statements) == 1


async def test_one_that_is_given_up_keeps_nothing_from_the_others(gathered: Gathered, question: Doubled) -> None:
    gone, there = ask(gathered, question, 1), ask(gathered, question, 1)
    await turns()
    gone.cancel()
    question.may.set()
    assert await there == [2]


async def test_what_is_given_up_in_a_request_keeps_nothing_from_the_rest_of_it(
    gathered: Gathered, question: Doubled
) -> None:
    loaders = Loaders(gathered)
    gone = asyncio.ensure_future(loaders.ask_all(question, [(1,), (2,)]))
    there = asyncio.ensure_future(loaders.ask(question, (2,)))
    await turns()
    gone.cancel()
    await turns()
    question.may.set()
    assert await there == 4


async def test_what_nobody_waits_for_any_more_is_not_asked(gathered: Gathered, question: Doubled) -> None:
    loaders, begun = Loaders(gathered), []
    for number in range(module.AT_ONCE):
        begun.append(ask(gathered, question, number))
        await turns()
    gone = asyncio.ensure_future(loaders.ask(question, (7,)))
    await turns()
    gone.cancel()
    question.may.set()
    await asyncio.gather(*begun)
    await turns()
    assert question.asked == [[number] for number in range(module.AT_ONCE)]
    assert not gathered._lines
    assert await loaders.ask(question, (7,)) == 14, "who comes later does not wait for what was dropped"


async def test_an_error_that_nobody_waits_for_is_not_lost_in_the_log(
    gathered: Gathered, question: Doubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    loaders = Loaders(gathered)
    one = asyncio.ensure_future(loaders.ask(question, (13,)))
    await turns()
    both = asyncio.ensure_future(loaders.ask_all(question, [(13,), (1,)]))
    await turns()

    async def broken(reader: Any, keys: Sequence[Key]) -> dict[Key, int]:
        raise LookupError

    monkeypatch.setattr(question, "answer", broken)
    question.may.set()
    answers = await asyncio.gather(one, both, return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, LookupError]
    del one, both, answers, loaders
    gc.collect()
    await turns()
    assert said == []


async def test_what_is_asked_together_is_never_divided(
    gathered: Gathered, question: Doubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 4)
    question.may.set()
    await asyncio.gather(*(ask(gathered, question, *numbers) for numbers in ((1, 2, 3), (4, 5), range(20, 30))))
    assert question.asked == [[1, 2, 3], [4, 5], [*range(20, 30)]]


async def test_statements_are_those_of_who_waits_for_them_and_of_nobody_before(
    gathered: Gathered, question: Doubled
) -> None:
    trails, asked = [Trail() for _ in range(3 * module.AT_ONCE)], []
    for number, trail in enumerate(trails):
        TRAIL.set(trail)
        asked.append(ask(gathered, question, number))
        await turns()
    question.may.set()
    await asyncio.gather(*asked)
    assert [trail.statements for trail in trails] == [1] * len(trails)


async def test_nobody_keeps_what_was_read_for_another(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    requests = [Loaders(gathered), Loaders(gathered)]
    await asyncio.gather(*(loaders.ask(question, (number,)) for number, loaders in enumerate(requests)))
    assert question.asked == [[0, 1]]
    kept = [asked.answers for loaders in requests for asked in loaders._known[question].values()]
    assert kept == [{(0,): 0}, {(1,): 2}]


async def test_pages_of_very_many_members_are_no_statement_too_long_for_the_database(shop: Shop) -> None:
    loaders = Loaders(shop.laurel.gathered)
    page = Slice(Recorded, newest("id"), (Where("accepted"),), size=2, backwards=False)
    size = Size(Recorded, (Where("accepted"),))
    owners = [(bucket_of(name), name) for name in map(str, range(600))]
    pages = await asyncio.gather(*(loaders.ask(page, (*owner, None, None)) for owner in owners))
    sizes = await asyncio.gather(*(loaders.ask(size, owner) for owner in owners))
    assert (pages, sizes) == ([[]] * 600, [0] * 600)


async def test_each_request_is_counted_what_it_waited_for(gathered: Gathered, question: Doubled) -> None:
    trails = [Trail(), Trail(), Trail()]
    question.may.set()
    asked = []
    for trail, numbers in zip(trails, ((1, 2), (2,), (3,)), strict=True):
        TRAIL.set(trail)
        asked.append(ask(gathered, question, *numbers))
    await asyncio.gather(*asked)
    assert [trail.statements for trail in trails] == [1, 1, 1]


async def test_of_statements_that_go_at_once_each_is_counted_for_who_asked(gathered: Gathered) -> None:
    trails, asked = [Trail(), Trail(), Trail()], []
    for trail, question in zip(trails, (Joinable(), Doubled(), Joinable()), strict=True):
        TRAIL.set(trail)
        question.may.set()
        asked.append(ask(gathered, question, 1))
    await asyncio.gather(*asked)
    assert [trail.statements for trail in trails] == [1, 1, 1]


async def test_members_who_ask_at_once_see_their_own(shop: Shop) -> None:
    names = [f"m{number}" for number in range(20)]
    members = [await shop.enrol(name) for name in names]
    for number, member in enumerate(members):
        await shop.give(member, 100 + number, "g")
    document = "{ viewer { member { externalId points { available } } } }"
    answers = await asyncio.gather(*(shop.ask(document, member=member) for member in members))
    seen = [(one["viewer"]["member"]["externalId"], one["viewer"]["member"]["points"]["available"]) for one in answers]
    assert seen == [(name, 100 + number) for number, name in enumerate(names)]


BAR = """{ viewer { member { externalId tier { code } points { available expiring { points } }
  progress { ratio nextTier { code } criteria { fact current remaining } } } } }"""


async def test_a_member_s_own_page_is_one_statement_where_the_database_has_a_way_for_it(every_shop: Shop) -> None:
    member = await every_shop.enrol("ann")
    await every_shop.give(member, 120, "g")
    await every_shop.ask(BAR, member=member)
    seen: list[str] = []

    def watch(sql: str) -> AbstractContextManager[None]:
        seen.append(sql)
        return nullcontext()

    with statements_watched(watch):
        answer = await every_shop.ask(BAR, member=member)
    asked = [
        sql for sql in seen if not any(table in sql for table in ("programme_version", "outbox", "webhook", "job"))
    ]
    assert len(asked) == (1 if every_shop.laurel.store.reader().joins else 3), asked
    points = answer["viewer"]["member"]["points"]
    assert points["available"] == 120


async def test_answers_are_the_same_whether_or_not_they_are_asked_together(
    every_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"m{number}" for number in range(12)]
    members = [await every_shop.enrol(name) for name in names]
    for number, member in enumerate(members):
        await every_shop.give(member, 100 * number + 1, "g")
    together = await asyncio.gather(*(every_shop.ask(BAR, member=member) for member in members))
    monkeypatch.setattr(module, "JOINED_KEYS_MAX", 0)
    assert [await every_shop.ask(BAR, member=member) for member in members] == together
    assert [one["viewer"]["member"]["points"]["available"] for one in together] == [
        100 * number + 1 for number in range(12)
    ]


async def test_what_two_windows_count_from_the_same_day_is_counted_once(fresh_database: str) -> None:
    ladder = """tiers:
  ladder:
    - {id: regular}
    - {id: silver, all: [{fact: points_earned, at_least: 1000, window: {months: 12}}]}
    - {id: gold, all: [{fact: points_earned, at_least: 5000, window: {days: 365}}]}
"""
    async with open_shop(fresh_database, PROGRAMME.partition("tiers:")[0] + ladder, plugins=Plugins()) as shop:
        member = await shop.enrol("ann")
        await shop.give(member, 300, "g")
        answer = await shop.ask(BAR, member=member)
    [criterion] = answer["viewer"]["member"]["progress"]["criteria"]
    assert (criterion["current"], criterion["remaining"]) == ("300", "700")


class Broken(NamedTuple):
    """A question of which the database knows no answer."""

    async def answer(self, reader: Reader, keys: Sequence[Key]) -> dict[Key, int]:
        return self.told(await reader.find(self.lookup(keys)))

    def lookup(self, keys: Sequence[Key]) -> Lookup:
        return Lookup(
            table_of(Member), ("bucket", "id"), keys, sql="SELECT 1 / (k.k0 - k.k0) FROM {keys}, no_such_table"
        )

    def told(self, rows: Sequence[Row]) -> dict[Key, int]:
        return {}


async def test_nobody_suffers_from_another_question(every_shop: Shop) -> None:
    member = await every_shop.enrol("ann")
    _, member_id = read_id(member)
    key = (bucket_of(member_id), member_id)
    good, bad = Loaders(every_shop.laurel.gathered), Loaders(every_shop.laurel.gathered)
    answers: Any = await asyncio.gather(
        good.ask(Rows(Member, ("bucket", "id")), key), bad.ask(Broken(), key), return_exceptions=True
    )
    assert [member.external_id for member in answers[0]] == ["ann"]
    assert isinstance(answers[1], Exception)


async def test_without_a_database_who_asks_is_told_so() -> None:
    loaders = Loaders(Gathered(Store("nowhere")))
    questions = [Rows(Member, ("external_id",)), Rows(Account, ("bucket", "member_id"))]
    async with asyncio.timeout(10):
        told = await asyncio.gather(*(loaders.ask(one, (1, "x")) for one in questions), return_exceptions=True)
    assert all(isinstance(one, Exception) for one in told)


def test_questions_that_come_together_in_ever_other_orders_leave_few_statements() -> None:
    tables = [table_of(kind) for kind in (Account, Entry, Hold, Lot, Recorded, TierChange)]
    for order in permutations(tables):
        Postgres._joined(tuple((table, ("bucket", "member_id"), "", "", ()) for table in order))
    assert Postgres._joined.cache_info().currsize < 720


async def test_what_is_foreseen_is_asked_once_and_for_this_request_only(gathered: Gathered, question: Doubled) -> None:
    question.may.set()
    loaders = Loaders(gathered)
    loaders.foresee(question, [(1,), (2,)])
    await turns()
    assert question.asked == [[1, 2]]
    loaders.foresee(question, [(2,), (3,)])
    assert await loaders.ask_all(question, [(1,), (2,), (3,)]) == [2, 4, 6]
    assert question.asked == [[1, 2], [3]]
    assert await ask(gathered, question, 1) == [2]
    assert question.asked == [[1, 2], [3], [1]]


async def test_what_was_foreseen_and_failed_fails_who_asks_for_it_and_nobody_else(
    gathered: Gathered, question: Doubled
) -> None:
    question.may.set()
    loaders = Loaders(gathered)
    loaders.foresee(question, [(13,)])
    await turns(10)
    with pytest.raises(LookupError):
        await loaders.ask(question, (13,))
    assert await loaders.ask(question, (1,)) == 2
    loaders.forget()
    assert question.asked == [[13], [1]]
