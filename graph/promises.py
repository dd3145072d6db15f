"""What another version of the programme would change for what members have: told before it is published."""

from typing import Annotated

import strawberry

from core.rulebook.promises import Changes, Group, expiry_changes
from graph.context import Info
from graph.member import Member
from graph.permissions import query
from graph.scalars import Points
from graph.tokens import Role


@strawberry.type
class ExpiryChange:
    """Points whose life another version would have made another."""

    points: Points = strawberry.field(description="How many points.")
    lots: int = strawberry.field(description="In how many lots.")
    member_count: int = strawberry.field(description="Of how many members.")
    _named: strawberry.Private[list[str]]

    @classmethod
    def of(cls, group: Group) -> "ExpiryChange":
        return cls(points=Points(group.points), lots=group.lots, member_count=group.members, _named=group.named)

    @strawberry.field
    async def members(self, info: Info) -> list[Member]:
        """The members, the first 100 of them."""
        found = [await Member.find(info, member_id) for member_id in self._named]
        return [member for member in found if member is not None]


@strawberry.type
class ExpiryChanges:
    """What another version means for what members have of a unit. Whatever it says, everything keeps its date."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    sooner: ExpiryChange = strawberry.field(description="What would expire sooner if it were earned under it.")
    later: ExpiryChange = strawberry.field(
        description="What would expire later if it were earned under it; extendPoints gives it the later date."
    )
    no_longer_renewed: ExpiryChange = strawberry.field(
        description="Whose date what members do moves now, and would no longer move."
    )

    @classmethod
    def of(cls, changes: Changes) -> "ExpiryChanges":
        return cls(
            unit=changes.unit,
            sooner=ExpiryChange.of(changes.sooner),
            later=ExpiryChange.of(changes.later),
            no_longer_renewed=ExpiryChange.of(changes.no_longer_renewed),
        )


@strawberry.type
class PromiseQueries:
    """What can be asked before a version is published."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def expiry_changes(
        self, info: Info, document: Annotated[str, strawberry.argument(description="The programme document: YAML.")]
    ) -> list[ExpiryChanges]:
        """What this document in place of the version in force means for the expiry of what members have, by unit.

        All open lots are looked at: seconds where there are millions. PROGRAMME_INVALID.
        """
        context = info.context
        programme = await context.laurel.load(document)
        current = (await context.version()).programme
        changes = await expiry_changes(context.reader, current, programme, context.now)
        return [ExpiryChanges.of(unit) for unit in changes]
