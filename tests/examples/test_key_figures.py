"""Key figures of real shops are what another tool computes straight from the files."""

import pytest

from examples.data.key_figures import CASES, Case, events, kept_up, kind, lines, recomputed
from graph.laurel import tables
from plugins.manager import find_offers, load_plugins
from tests.databases import SqliteFolder


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_figure_of_every_month_is_that_of_the_files(sqlite_folder: SqliteFolder, case: Case) -> None:
    plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])

    found = await kept_up(sqlite_folder.migrated(tables(plugins)), case, events(case, part=True))

    expected = recomputed(case, part=True)
    assert found == expected, "\n".join(lines(case, found, expected))
    # All that are computed are there, and in most of the months.
    assert {kind(name) for _, name in found} >= case.names - {"points_expired", "points_clawed_back"}
    assert len(found) > 150
