"""What was begun by a plan in vain, and is asked again by graphql-core."""

import asyncio
from collections.abc import Sequence
from typing import Any

from graph.loaders import Gathered, Key, Loaders
from graph.testing import Shop
from graph.tokens import Role

QUERY = """{
  member(by: {externalId: "Ann"}) { tier { name } balances { available } }
  node(id: "wrong") { id }
}"""


async def test_what_a_plan_gave_up_waiting_for_is_there_for_graphql_core(shop: Shop) -> None:
    await shop.enrol("Ann")
    for _ in range(3):  # by a plan from the second on
        answer = await shop.post(QUERY, role=Role.ADMIN)
        assert [error["path"] for error in answer["errors"]] == [["node"]]
        assert answer["data"]["member"]["tier"] == {"name": "Regular"}


class Doubled:
    """A question whose answer is twice its key, once it may be answered."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Key]] = []
        self.may = asyncio.Event()

    async def answer(self, reader: Any, keys: Sequence[Key]) -> dict[Key, int]:
        self.asked.append(list(keys))
        await self.may.wait()
        return {key: 2 * key[0] for key in keys}


class NoStore:
    def reader(self) -> None:
        pass


async def test_a_question_is_not_lost_with_who_asked_it_first() -> None:
    question, loaders = Doubled(), Loaders(Gathered(NoStore()))  # type: ignore[arg-type]
    # Gone before it is asked, gone before it is answered, and nobody left when it is.
    for number, turns in enumerate((1, 5)):
        first = asyncio.ensure_future(loaders.ask(question, (number,)))
        for _ in range(turns):
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.ensure_future(loaders.ask(question, (number,)))
        await asyncio.sleep(0)
        question.may.set()
        assert await second == 2 * number
        question.may.clear()
    assert question.asked == [[(0,)], [(1,)]]
    third = asyncio.ensure_future(loaders.ask(question, (2,)))
    await asyncio.sleep(0)
    third.cancel()
    question.may.set()
    await asyncio.wait([third])
    await asyncio.sleep(0.01)
    assert await loaders.ask(question, (2,)) == 4
