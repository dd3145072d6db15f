"""What always holds of the stages that members have entered."""

from collections.abc import Sequence
from typing import Final

from core.oversight.verify import Invariant

INVARIANTS: Final[Sequence[Invariant]] = (
    Invariant(
        "life_cycle way",
        "each stage that a member has entered was entered from the one before it, and not before that was",
        "SELECT e.member_id, e.number, e.former FROM life_cycle_entry e LEFT JOIN life_cycle_entry b"
        " ON b.bucket = e.bucket AND b.member_id = e.member_id AND b.number = e.number - 1"
        " WHERE (e.number = 1 AND e.former IS NOT NULL) OR (e.number > 1 AND (b.number IS NULL OR e.former IS NULL"
        " OR e.former <> b.stage OR e.stage = b.stage OR e.entered_at < b.entered_at))",
    ),
    Invariant(
        "life_cycle causes",
        "what has brought a member into a stage was done, and nothing is given where the member did nothing for it",
        "SELECT e.member_id, e.number, e.operation_id FROM life_cycle_entry e LEFT JOIN operation o"
        " ON o.bucket = e.bucket AND o.member_id = e.member_id AND o.id = e.operation_id"
        " WHERE o.id IS NULL OR NOT o.accepted OR (e.cause = 'programme' AND e.lots <> '{}')",
    ),
)
