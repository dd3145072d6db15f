"""All of the graph that a plugin may import: what its queries and mutations are written with.

::

    @strawberry.type
    class SignInMutations:
        @mutation(allow={Role.MEMBER, Role.SERVICE})
        async def record_sign_in(self, info: Info, input: RecordSignInInput) -> RecordSignInPayload:
            \"\"\"Record that a member was there today.\"\"\"
            operation = RecordSignIn(
                member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
            )
            return await perform(info, operation, RecordSignInPayload)

Docstrings of types, enums and resolvers are their descriptions; fields of types and inputs are described with
``strawberry.field(description=…)``. A Refusal raised by a mutation becomes an error in its payload.
"""

from decimal import Decimal

from strawberry import ID

from graph.benefit import Benefit
from graph.context import Context, Info
from graph.errors import UserError, user_error
from graph.federation import entity
from graph.filters import InstantFilter, instant_is
from graph.ids import Node, global_id, parts_of
from graph.limits.prices import Cost, ListSize, priced
from graph.member import Member, MemberByInput, MemberStatus, find_member
from graph.money import Money, MoneyInput
from graph.operator import hold_named
from graph.pages import Connection, Order, Page, Where, newest, oldest, page_of_all, page_of_member, paged, sliced
from graph.payload import Payload, answer, perform, perform_many
from graph.permissions import ACTING, EVERYONE, STAFF, actor, field, may_see, mutation, query, subscription
from graph.scalars import CurrencyCode, Day, Instant, Points
from graph.selections import selects
from graph.telling import member_told
from graph.texts import check_text
from graph.tokens import Role
from graph.transaction import Hold, Lot, TraceStep, Transaction, trace_of

__all__ = [
    "ACTING",
    "EVERYONE",
    "ID",
    "STAFF",
    "Benefit",
    "Connection",
    "Context",
    "Cost",
    "CurrencyCode",
    "Day",
    "Decimal",
    "Hold",
    "Info",
    "Instant",
    "InstantFilter",
    "ListSize",
    "Lot",
    "Member",
    "MemberByInput",
    "MemberStatus",
    "Money",
    "MoneyInput",
    "Node",
    "Order",
    "Page",
    "Payload",
    "Points",
    "Role",
    "TraceStep",
    "Transaction",
    "UserError",
    "Where",
    "actor",
    "answer",
    "check_text",
    "entity",
    "field",
    "find_member",
    "global_id",
    "hold_named",
    "instant_is",
    "may_see",
    "member_told",
    "mutation",
    "newest",
    "oldest",
    "page_of_all",
    "page_of_member",
    "paged",
    "parts_of",
    "perform",
    "perform_many",
    "priced",
    "query",
    "selects",
    "sliced",
    "subscription",
    "trace_of",
    "user_error",
]
