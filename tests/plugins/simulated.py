"""A story told twice: once and then simulated under a draft, and once with the draft published on the way."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.rulebook.publishing import publish
from core.scheduling.overdue import judgements_due
from core.scheduling.reviewing import reviews_due
from core.scheduling.sweep import settle, sweep
from core.simulating import figures
from examples.data.simulating import Came, read_members
from graph.laurel import tables
from graph.settings import Settings
from graph.simulating.process import Finished, replay
from graph.testing import Shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.orders import shop_at

DAY: Final = timedelta(days=1)
PLUGINS: Final = load_plugins()


@dataclass
class Turn:
    """From when on the draft judges. A story calls it once."""

    shop: Shop
    draft: str | None
    at: datetime = field(init=False)

    async def __call__(self) -> None:
        self.at = self.shop.clock.now()
        if self.draft is None:
            return
        laurel = self.shop.laurel
        await publish(
            self.draft, author="the tests", reason="a try", load=laurel.load, clock=laurel.clock, starts_at=self.at
        )
        await laurel.programmes.refresh(laurel.store.reader())


Story = Callable[[Shop, Turn], Awaitable[None]]
"""What members do. What the draft refuses when it is published must not stop it."""


class _Told(NamedTuple):
    url: str
    since: datetime
    until: datetime
    came: Came


async def simulated(
    folder: SqliteFolder, programme: str, draft: str, story: Story, members: Path, *, but: Collection[str] = ()
) -> tuple[dict[str, Any], Came]:
    """The result of the simulation, and what would have come of the story.

    The rules that were in force, replayed, must give the very figures that are in the books, ``but`` for these.
    """
    told = await _tell(folder, programme, story)
    file = members / "members.csv"
    settings = Settings(database_url=told.url)
    said = [each async for each in replay(settings, draft, told.since, told.until, told.until, file)]
    assert isinstance(said[-1], Finished)
    result = said[-1].result
    books = {name: figure for name, figure in told.came.figures.items() if name not in but}
    assert {name: result["today"][name] for name in books} == books
    assert (result["today"]["refused"], result["today"]["failed"], result["draft"]["failed"]) == ({}, {}, {})
    assert {unit: found["apart"] for unit, found in result["fidelity"]["units"].items()} == dict.fromkeys(
        result["units"], 0
    )
    return result, Came(result["draft"], _without_nothing(read_members(file)))


async def told_twice(folder: SqliteFolder, programme: str, draft: str, story: Story, members: Path) -> dict[str, Any]:
    """The result of the simulation, once what comes when the draft is published has been found to be the same."""
    result, what_if = await simulated(folder, programme, draft, story, members)
    real = (await _tell(folder, programme, story, draft)).came
    assert what_if.members == real.members
    assert {name: what_if.figures[name] for name in real.figures} == real.figures
    return result


def issued(result: Mapping[str, Any]) -> tuple[int, int]:
    """The points issued since the turn: under the rules that were in force, and under the draft."""
    today, draft = (result[run]["units"]["points"]["issued"] for run in ("today", "draft"))
    return today, draft


def anew(result: Mapping[str, Any], channel: str) -> dict[str, int]:
    """How many operations of the channel were judged anew, by their kinds. None of them may stand as it was."""
    operations = result["operations"]
    assert channel not in {each["channel"] for each in operations["carried"]}
    return {each["kind"]: each["count"] for each in operations["anew"] if each["channel"] == channel}


async def _tell(folder: SqliteFolder, programme: str, story: Story, draft: str | None = None) -> _Told:
    url = folder.migrated(tables(PLUGINS))
    async with shop_at(url, programme, PLUGINS) as shop:
        turn = Turn(shop, draft)
        await story(shop, turn)
        until = shop.clock.now() + DAY
        return _Told(url, turn.at, until, await _came(shop, turn.at, until))


async def _came(shop: Shop, since: datetime, until: datetime) -> Came:
    """The figures once all is done that is due by the end, and what each member has."""
    last = until - timedelta(microseconds=1)
    shop.clock.set(last)
    laurel = shop.laurel
    reader = laurel.store.reader()
    async for _ in settle(reader, laurel.committer, reviews_due("job tiers", last)):
        pass
    async for _ in settle(reader, laurel.committer, judgements_due(PLUGINS.judges, "job judge", last)):
        pass
    await sweep(reader, laurel.committer, last, actor="job expire")
    programme = laurel.programmes.at(last).programme
    run = await figures.figures(reader, programme, programme.unit_names, since, until)
    found: dict[str, dict[str, str]] = {}
    async for stood in figures.balances(reader, until):
        for each in stood:
            found.setdefault(each.external_id, {})[each.unit] = str(each.balance)
    async for steps in figures.tiers(reader, until):
        for _, external_id, tier in steps:
            found.setdefault(external_id, {})["tier"] = tier
    return Came(run.to_json(programme.currency), _without_nothing(found))


def _without_nothing(members: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What members have none of is left out: it is the same whether or not they ever had any."""
    return {member: {name: has for name, has in all_.items() if has != "0"} for member, all_ in members.items()}
