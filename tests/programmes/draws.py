"""Draws whose outcome a page can tell: of all seeds that a period may have, one that lands where the story wants."""

from itertools import count
from typing import Final

from core.store.databases import unit_of_work
from graph.ids import read_id
from plugins.lottery.draws import commitment_of, place_of, roll
from plugins.lottery.models import LotterySeed
from plugins.lottery.periods import period_at
from plugins.lottery.rules import LotterySettings
from tests.programmes.story import Life

DRAWN: Final = "draws { id prize name points }"


async def draws(life: Life, pool: str, prize: str, what: str, *, mark: bool = False) -> str:
    """A member's first draw from a pool, which lands on ``prize``; its id. Nothing but chance is arranged."""
    story = life.story
    settings = LotterySettings.model_validate(story.document["channels"]["lottery"])
    drawn_from = settings.by_id[pool]
    period = period_at(drawn_from.period, story.shop.clock.now(), story.zone)
    place = place_of(pool, period.name, read_id(life.id)[1], 1)
    seeds = (number.to_bytes(32) for number in count())
    seed = next(seed for seed in seeds if drawn_from.land(roll(seed, place, drawn_from.total)).id == prize)

    async def write() -> None:
        await LotterySeed.create(
            pool=pool,
            period=period.name,
            seed=seed.hex(),
            commitment=commitment_of(seed),
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            committed_at=story.shop.clock.now(),
        )

    await unit_of_work(write)
    payload = await life.does(what, "drawLottery", DRAWN, pool=pool, mark=mark)
    (drawn,) = payload["draws"]
    assert drawn["prize"] == prize
    return str(drawn["id"])


async def is_genuine(life: Life, draw: str) -> bool:
    """Whether a draw that is over comes out again as it is on record; anybody may ask."""
    data = await life.is_asked("query ($draw: ID!) { verifyDraw(draw: $draw) { genuine } }", draw=draw)
    return bool(data["verifyDraw"]["genuine"])
