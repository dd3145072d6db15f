"""The channel's section of the programme."""

from typing import Annotated, Final

from pydantic import Field

from core.programme import ChannelSettings
from core.rules import UnitName
from core.units import AMOUNT_MAX

CHANNEL: Final = "welcome"

Amount = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class WelcomeSettings(ChannelSettings):
    """The programme's section ``channels: welcome:``.

    ``pack`` is so much of each unit. It can be spent after ``pending_days``, and lives for ``expires_days`` at most.
    """

    pack: Annotated[dict[UnitName, Amount], Field(min_length=1, max_length=20)]
    expires_days: Days | None = None
    pending_days: Days | None = None
