"""A hold sets points of certain lots aside until it is captured or released, exactly once."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class HoldState(StrEnum):
    """Where a hold stands."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


class Hold(NamedTuple):
    """Points set aside. After capture ``captured`` is what was taken, and the rest went back to its lots."""

    unit: str
    seq: int
    operation_id: str
    channel: str
    reference: str
    amount: int
    captured: int
    state: str
    placed_at: datetime
    expires_at: datetime


class HoldLot(NamedTuple):
    """How much of which lot a hold sets aside; ``amount`` is 0 once the hold is resolved."""

    unit: str
    hold_seq: int
    lot_seq: int
    amount: int
