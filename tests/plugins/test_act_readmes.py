"""What the READMEs of the channels for acts show: a section that loads, and a mutation that does what is said."""

import re
from pathlib import Path
from typing import Final

import pytest

from graph.testing import open_shop
from tests.plugins.channel import only, standing

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("plugin", "joined", "points"), [("sign_in", 0, 5), ("profile", 50, 60), ("review", 0, 0), ("share", 0, 0)]
)
async def test_what_a_readme_shows_can_be_pasted(tmp_path: Path, plugin: str, joined: int, points: int) -> None:
    readme = (ROOT / "plugins" / plugin / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    mutation = re.findall(r"```graphql\n(.*?)```", readme, re.DOTALL)[0]
    programme = f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"

    async with open_shop(tmp_path, programme, plugins=only(plugin)) as shop:
        anna = await shop.enrol("anna")
        before = await standing(shop, anna)
        (payload,) = (await shop.ask(mutation)).values()

        assert payload["errors"] == []
        assert before == (joined, 1)
        assert await standing(shop, anna) == (points, 2)
