"""The pages of the programmes belong together: the index, the words, the pages and the pictures."""

import re
from typing import Final
from xml.etree import ElementTree

import pytest

from tests.programmes.pages import PAGES, PROSE
from tests.programmes.story import PROGRAMMES

NAMES: Final = sorted(path.stem for path in PROSE.glob("*.md"))


def test_the_index_names_every_page_once_and_no_other() -> None:
    listed = re.findall(
        r"^\| \[([a-z-]+)\]\(\1\.md\) \|", (PAGES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert sorted(listed) == NAMES
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *NAMES}
    assert {path.stem for path in PAGES.glob("*.svg")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_links_its_document_and_shows_its_picture_which_says_what_it_shows(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    picture = ElementTree.parse(PAGES / f"{name}.svg").getroot()

    assert f"../../examples/programmes/{name}.yaml" in page
    assert f"]({name}.svg)" in page
    for link in re.findall(r"\]\(([^)#]+)", page):
        assert link.startswith("https://") or (PAGES / link).exists(), link
    assert (PROGRAMMES / f"{name}.yaml").exists()
    assert [picture.get("role"), picture.get("aria-labelledby")] == ["img", "title says"]
    for tag in ("title", "desc"):
        words = picture.find(f"{{http://www.w3.org/2000/svg}}{tag}")
        assert words is not None
        assert words.text
