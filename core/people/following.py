"""What the core itself does after a commit: bring what one member sent to the other, and erase who was merged."""

from typing import Final

from core.people import erasing, merging
from core.telling.events import Delivery
from core.telling.outbox import Submit

OUTGOING: Final = merging.OUTGOING | erasing.OUTGOING


async def deliver(event: Delivery, submit: Submit) -> None:
    """Hear of an event, at least once."""
    await merging.deliver(event, submit)
    await erasing.deliver(event, submit)
