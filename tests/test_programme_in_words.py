"""The page on programmes in words shows what the code says, and its channel can be written so."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import pytest
from pydantic import Field

from core.rulebook.programme import ChannelSettings, load_programme
from core.rulebook.rules import RuleSet, UnitName
from core.wording.facts import FactWords, TallyWords, Wording
from core.wording.language import Language
from core.wording.summary import summary
from core.wording.words import Said, Topic, Words
from graph.laurel import load_document
from plugins.manager import load_plugins

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "programme-in-words.md").read_text(encoding="utf-8")
SHOWN: Final = re.findall(r"^```text (\S+) (en|zh) (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

SHOP: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  visit:
    earn:
      points:
        groups:
          - {id: base, add: sum, rules: [{id: daily, points: 5}, {id: guests, when: "event.guests > 0", points: 10}]}
"""


@pytest.mark.parametrize(("programme", "language", "topic", "text"), SHOWN)
def test_the_page_shows_what_members_read(programme: str, language: Language, topic: str, text: str) -> None:
    document = (ROOT / "examples" / "programmes" / f"{programme}.yaml").read_text(encoding="utf-8")

    chapters = summary(load_document(load_plugins(), document), language).chapters

    [chapter] = [each for each in chapters if each.topic == topic]
    assert [each.text for each in chapter.sentences] == text.splitlines()


@dataclass
class EventFacts:
    """What expressions of the page's channel see."""

    guests: int


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Each visit earns 5 points.",
                "Each visit earns another 10 points when you bring a guest.",
                "Visits count from 9 o'clock on.",
            ],
        ),
        ("zh", ["每次到店：得 5 积分。", "每次到店：有人同行时，另得 10 积分。", "9 点后到店计入。"]),
    ],
)
def test_the_channel_of_the_page_says_its_rules(language: Language, said: list[str]) -> None:
    # Its imports are left out on the page: they are these.
    assert all((Annotated, Any, ChannelSettings, ClassVar, FactWords, Field, Iterable, Mapping, RuleSet, Said))
    assert all((TallyWords, Topic, UnitName, Wording, Words))
    scope: dict[str, Any] = dict(globals())
    exec(CODE, scope)

    chapters = summary(load_programme(SHOP, {"visit": scope["VisitSettings"]}), language).chapters

    told = [each for chapter in chapters for each in chapter.sentences]
    assert [each.text for each in told if each.channel == "visit"] == said
