"""Quests of the example programmes, with the numbers of their documents; and what the READMEs show."""

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from core.rulebook.programme import ChannelSettings
from graph.testing import open_shop
from plugins.manager import load_plugins
from tests.plugins.orders import balance, buy, of_member

ROOT: Final = Path(__file__).parents[2]
PROGRAMMES: Final = ROOT / "examples" / "programmes"
CHANNELS: Final = ("birthday", "campaign", "quest", "referral", "welcome", "win_back")

TELL: Final = "mutation ($input: RecordQuestEventInput!) { recordQuestEvent(input: $input) { counted } }"


async def test_newcomers_of_the_mother_and_baby_shop_get_two_hundred_in_all(tmp_path: Path) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / "mother-baby.yaml").read_text()) as shop:
        ann = await shop.enrol("ann")
        told_of = {"member": {"id": ann}, "event": "profile", "object": "complete", "idempotencyKey": "profile"}
        assert (await shop.ask(TELL, {"input": told_of}))["recordQuestEvent"] == {"counted": True}
        before = await balance(shop, ann)

        await buy(shop, ann, "A1", "0.50")

        assert await balance(shop, ann) == before + 200
        assert (await of_member(shop, ann, "quests { status }"))["quests"] == [{"status": "DONE"}]


def blocks(channel: str, language: str) -> list[str]:
    text = (ROOT / "plugins" / channel / "README.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_a_readme_shows_can_be_published_and_pasted(tmp_path: Path, channel: str) -> None:
    shown = {name: section for block in blocks(channel, "yaml") for name, section in yaml.safe_load(block).items()}
    document = yaml.safe_dump({"id": "shop", "currency": "CNY", "timezone": "Asia/Shanghai", **shown})
    plugins = load_plugins()
    async with open_shop(tmp_path, document, plugins=plugins) as shop:
        for request in blocks(channel, "graphql"):
            if channel != "welcome":
                await shop.enrol("ann")
            answer = await shop.post(request)
            assert "errors" not in answer


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_readme_explains_every_setting_of_its_section(channel: str) -> None:
    told_of = set(re.findall(r"`(\w+)`", (ROOT / "plugins" / channel / "README.md").read_text()))

    own = load_plugins().settings[channel].model_fields.keys() - ChannelSettings.model_fields.keys()
    assert own - {"campaigns", "quests"} <= told_of


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_can_be_left_out_and_loads_alone(channel: str) -> None:
    assert channel not in load_plugins({channel}).names
    assert load_plugins(set(load_plugins().names) - {channel}).names == (channel,)
