"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

USED: Final = "benefit.used"
USE_UNDONE: Final = "benefit.use_undone"


class BenefitUsed(EventData):
    """A member has used a benefit, or was given the coupons that it brings."""

    benefit: str = Field(description="The benefit's id in the programme.")
    kind: str = Field(description="What kind of thing it is: discount, free_shipping, coupon …")
    use: str = Field(description="The number of the use.")
    reference: str = Field(description="The order or other thing that it was used with; the period for coupons.")
    worth: int = Field(description="What it took off, in the currency's minor unit.")


class BenefitUseUndone(EventData):
    """A use of a benefit was given back, as what it was for came to nothing."""

    benefit: str = Field(description="The benefit's id in the programme.")
    use: str = Field(description="The number of the use.")
    reference: str = Field(description="The order or other thing that it was used with.")


EVENT_TYPES: Final = (EventType(USED, 1, BenefitUsed), EventType(USE_UNDONE, 1, BenefitUseUndone))
