"""Whose event it is, as it is told outside."""

from core.books.members import bucket_of
from core.models import MemberRow
from core.telling.events import Delivery
from graph.ids import global_id


async def member_told(event: Delivery) -> dict[str, str] | None:
    """The member of an event, by both ids; None for what is of the programme and of no member."""
    if not event.member_id:
        return None
    row = await MemberRow.get(bucket=bucket_of(event.member_id), id=event.member_id)
    return {"id": global_id("Member", event.member_id), "externalId": row.external_id}
