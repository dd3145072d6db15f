"""What can be followed: a subscription answers at once, and again after each commit that changes what it tells of."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from graph.context import Info
from graph.member import Member, MemberByInput, find_member
from graph.permissions import STAFF, subscription
from graph.tokens import Role


@strawberry.type
class Subscription:
    """What can be followed, over a WebSocket or as server-sent events, until the token ends."""

    @subscription(allow=STAFF | {Role.MEMBER})
    async def member_progress(
        self, info: Info, by: Annotated[MemberByInput, strawberry.argument(description="How the member is named.")]
    ) -> AsyncGenerator[Member | None, None]:
        """One member, at once and again whenever something was done to them: earned, spent, held, risen …

        Null, once, when there is none, or none that this caller may see. What changes while the client is slow to
        read is told once.
        """
        found = await find_member(info, by)
        if found is None:
            yield None
            return
        # Read again at once, as something may have been committed before it was watched.
        async for _ in info.context.each_change(found.member_id):
            yield await Member.find(info, found.member_id)
