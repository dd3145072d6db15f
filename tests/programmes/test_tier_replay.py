"""A year of a real shop's orders and refunds: the way of every member through the tiers is that of a fresh evaluation.

Every twentieth customer; ``python -m examples.data.tiers`` does the same with all.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from examples.data.tiers import LADDER, MONTHS, Replayed, events, lines, moved, replay, spread
from graph.laurel import tables
from plugins.manager import load_plugins
from tests.databases import SqliteFolder


async def test_a_year_of_a_real_shop_moves_members_as_a_fresh_evaluation_does(tmp_path: Path) -> None:
    url = SqliteFolder(tmp_path).migrated(tables(load_plugins()))

    replayed = await replay(url, events(part=True))

    found, afresh = replayed
    assert found == afresh
    by_month = [spread(found, month) for month in MONTHS]
    assert by_month == [spread(afresh, month) for month in MONTHS]
    ways = moved(found)
    assert ways == moved(afresh)
    # Up and down, and everybody stands somewhere.
    ups, downs = (sum(each) for each in zip(*ways.values(), strict=True))
    assert min(ups, downs) > len(found) / 4
    assert {sum(counts.values()) for counts in by_month} == {len(found)}
    assert len(set(map(str, by_month))) == len(by_month)
    # Whoever stands on a tier above the first has gone up to it, and not down again.
    assert by_month[-1] == Counter(steps[-1][1] if steps else LADDER[0] for steps in found.values())
    _, *months, total = lines(replayed)
    assert (len(months), "ANOTHER" in "".join(months)) == (12, False)
    assert total == f"{len(found)} members, of whom 0 went another way than evaluated afresh"


def test_a_way_that_is_another_shows() -> None:
    replayed = Replayed({"ann": []}, {"ann": [(datetime(2011, 5, 20, tzinfo=UTC), "regular")]})

    told = list(lines(replayed))

    assert [line[:5] for line in told if "ANOTHER" in line] == [f"{month:02}-01" for month in range(6, 13)]
    assert told[-1] == "1 members, of whom 1 went another way than evaluated afresh"
