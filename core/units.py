"""What is counted: the units of the ledger and the integer amounts of them.

Points are spent; growth only climbs tiers. A programme may name more units of its own.
"""

from typing import Annotated, Final

Points = Annotated[int, "Points"]
"""An exact whole amount of any unit, signed. |n| < 2**53, so that no JSON client loses a digit."""

POINTS: Final = "points"
GROWTH: Final = "growth"

AMOUNT_MAX: Final = 2**53 - 1
