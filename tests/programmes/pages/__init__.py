"""The page of a programme, made of words, of its document, and of what its story has told.

The words stand in ``tests/programmes/prose``, a template a programme. What they quote comes from the document
(``document``) or from the run (``facts``), so that no figure of a page is only said. The pages and pictures in
``docs/programmes`` are committed; a story fails when they are not what it makes, and ``make programmes`` writes them
anew.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.time.calendar import local_day
from tests.programmes.pages.picture import draw
from tests.programmes.story import PROGRAMMES, Life, Row, Story, told_of, written_day

HERE: Final = Path(__file__).parent
PROSE: Final = HERE.parent / "prose"
PAGES: Final = Path(__file__).parents[3] / "docs" / "programmes"
RENEW: Final = "make programmes"

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader([PROSE, HERE]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def compare_or_write(story: Story, *, renew: bool) -> None:
    """Fail unless the committed page and picture are those of the story; with ``renew`` write them."""
    for name, made in made_of(story).items():
        file = PAGES / name
        if renew:
            file.parent.mkdir(exist_ok=True)
            file.write_text(made, encoding="utf-8")
            continue
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        if kept != made:
            difference = difflib.unified_diff(
                kept.splitlines(),
                made.splitlines(),
                f"docs/programmes/{name}",
                "what the story makes",
                lineterm="",
                n=0,
            )
            shown = "\n".join(list(difference)[:40])
            raise AssertionError(f"docs/programmes/{name} does not tell what happens; renew it with `{RENEW}`\n{shown}")


def made_of(story: Story) -> Mapping[str, str]:
    """The files of a programme by name."""
    hero = story.hero
    rows = told_of(story)
    marks = {id(row): number for number, row in enumerate((row for row in rows if _is_marked(row, hero)), 1)}
    numbered = [(marks.get(id(row)), row) for row in rows]
    text = (PROGRAMMES / f"{story.programme}.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    template = _ENVIRONMENT.get_template(f"{story.programme}.md")
    page = template.render(
        document=document,
        ladder={tier["id"]: tier for tier in document.get("tiers", {}).get("ladder", ())},
        facts=story.facts,
        excerpt=lambda *path: excerpt(text, *path),
        number=lambda value: f"{value:,}",
        day=written_day,
        table=_table(story, numbered),
        picture=f"![{_title(story, hero, rows)}]({story.programme}.svg)",
    )
    head = f"<!-- Made by a test, of the words in tests/programmes/prose and of what happened. Renew: {RENEW} -->\n"
    picture = draw(
        _title(story, hero, rows),
        [row for row in rows if row.who == hero.name],
        {number: row for number, row in numbered if number},
        ladder=[(tier["id"], tier.get("name", tier["id"])) for tier in document.get("tiers", {}).get("ladder", ())],
        zone=story.zone,
        until=story.shop.clock.now(),
    )
    return {f"{story.programme}.md": head + page, f"{story.programme}.svg": picture}


def _is_marked(row: Row, hero: Life) -> bool:
    return row.who == hero.name and row.mark


def _title(story: Story, hero: Life, rows: Sequence[Row]) -> str:
    days = [local_day(at, story.zone) for at in (rows[0].at, story.shop.clock.now())]
    first, last = (f"{day:%B %Y}" for day in days)
    return f"{hero.name}'s points and tier, {first} to {last}"


def _table(story: Story, numbered: Sequence[tuple[int | None, Row]]) -> str:
    """The story as a table; the numbers are those of the picture."""
    grows, tiers = any(row.growth for _, row in numbered), any(row.tier for _, row in numbered)
    head = ["", "day", "who", "what happens", "points", "balance", *(["growth"] if grows else ()),
            *(["tier"] if tiers else ())]  # fmt: skip
    sides = ["--:", "---", "---", "---", "--:", "--:", *(["--:"] if grows else ()), *(["---"] if tiers else ())]
    lines = [head, sides]
    for number, row in numbered:
        by_itself = row.what.startswith("· ")
        what = f"*{row.what[2:]}*" if by_itself else row.what
        lines.append(
            [
                str(number or ""),
                written_day(local_day(row.at, story.zone)),
                row.who,
                what,
                f"{row.points:+,}" if row.points else "",
                f"{row.balance:,}",
                *([f"{row.grown:,}"] if grows else ()),
                *([f"**{row.tier}**" if row.moved else row.tier] if tiers else ()),
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def excerpt(text: str, *path: str) -> str:
    r"""The lines of a document that say what stands at a place, as they are written.

    >>> print(excerpt("a:\n  b: {c: 1}\n  d: 2\n", "a", "b"))
    b: {c: 1}
    """
    node = yaml.compose(text)
    assert node is not None
    begin = end = 0
    for key in path:
        assert isinstance(node, yaml.MappingNode), f"{key} is in no mapping"
        found = [(name, value) for name, value in node.value if name.value == key]
        assert found, f"the document has no {' → '.join(path)}"
        name, node = found[0]
        begin, end = name.start_mark.index, node.end_mark.index
    indent = begin - (text.rfind("\n", 0, begin) + 1)
    lines = text[begin:end].rstrip().splitlines()
    return "\n".join([lines[0], *(line[indent:] for line in lines[1:])]).rstrip()


def quoted(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
