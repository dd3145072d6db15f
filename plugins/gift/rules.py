"""How many points members may give each other."""

from typing import Annotated, Final

from pydantic import Field

from core.channels.limits import Limits
from core.rulebook.programme import ChannelSettings
from core.units import AMOUNT_MAX

CHANNEL: Final = "gift"


class GiftSettings(ChannelSettings):
    """The programme's section ``channels: gift:``. Without it nobody gives.

    ``least`` is the smallest gift; ``limits`` are the points that a member may give away, not the number of gifts.
    """

    least: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] = 1
    limits: Limits = Limits()
