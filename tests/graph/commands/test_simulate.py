"""``laurel programme simulate``: the past under another programme, told in a table, as JSON and as a picture."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.graph.commands.conftest import PROGRAMME, Type

pytestmark = pytest.mark.timeout(600)  # the process that replays lets all others go first
STRICTER = PROGRAMME.replace("order.amount", 'order.amount * 0.5"').replace("points: order", 'points: "order')
SALES = """\
kind,reference,order,member,at,amount,points,reason
sale,A1,,ann,2026-03-01,600,,
sale,A2,,bob,2026-03-02,100,,
"""


def test_the_result_is_printed_and_drawn(
    type_: Type, opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # Laurel may not be installed, and it is elsewhere
    (tmp_path / "draft.yaml").write_text(STRICTER, encoding="utf-8")
    (tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
    assert type_(opened, "import", "orders", "sales.csv", "--as-of", "row").exit_code == 0
    march = ("--from", "2026-03-01", "--to", "2026-03-31")

    done = type_(opened, "programme", "simulate", "draft.yaml", *march, "--json", "--picture", "drawn.svg")
    empty = type_(opened, "programme", "simulate", "draft.yaml", "--from", "2025-03-01", "--to", "2025-03-31")
    unknown = type_(opened, "programme", "simulate", "7", *march)

    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert [result[run]["units"]["points"]["issued"] for run in ("today", "draft")] == [700, 350]
    assert {"today": "silver", "draft": "regular", "members": 1} in result["migration"]
    picture = ElementTree.fromstring((tmp_path / "drawn.svg").read_text(encoding="utf-8"))
    description = picture.findtext("{http://www.w3.org/2000/svg}desc")
    assert description is not None
    assert "2026-03: 700 and 350." in description
    assert "From silver to regular: 1." in description
    assert (empty.exit_code, unknown.exit_code) == (2, 2)
    assert "nothing" in empty.stderr
    assert "no version 7 of the programme" in unknown.stderr
