"""Reading files of orders: rows in, batches of operations out.

Which kinds of row there are, and what operation each becomes, is said by the channels: an ``Importer`` for each kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.errors import LaurelError
from core.operations import Operation

Row = Mapping[str, Any]
"""A row under our column names. ``at`` is an aware datetime; all else is as the file has it: text from CSV, the values
of JSON (numbers with a point as Decimal) from JSON lines. Empty text and null are left out."""


class RowRejected(LaurelError):
    """The row cannot become an operation; the message is the reason, one clause."""


class Source(NamedTuple):
    """What an operation must say that is not in the row: who imports, and the clock of a replay (None for now)."""

    actor: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Importer:
    """Makes operations of the rows of one ``kind``.

    ``needs`` and ``takes`` are the columns that a row must have and may have; ``make`` gets a row that has what it
    needs, and raises RowRejected, or a Refusal, for what cannot be meant.
    """

    kind: str
    needs: frozenset[str]
    takes: frozenset[str]
    make: Callable[[Row, Source], Operation]
