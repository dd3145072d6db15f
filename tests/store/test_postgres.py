"""Statements for PostgreSQL, without one."""

import tracemalloc
from itertools import permutations

from core.books.accounts import Account, Entry
from core.books.holds import Hold
from core.books.lots import Lot, LotMove
from core.books.members import Member
from core.engine.operations import Recorded
from core.store import postgres
from core.store.dialect import Writing
from core.store.tables import table_of

MEGABYTE = 1_000_000


def test_changes_that_come_together_in_ever_other_ways_leave_few_statements() -> None:
    tables = [table_of(kind) for kind in (Account, Entry, Hold, Lot, LotMove, Member, Recorded)]
    tracemalloc.start()
    for order in permutations(tables):
        postgres._writing(tuple((Writing.UPDATE, table) for table in order))
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < 5 * MEGABYTE
