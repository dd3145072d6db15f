"""What another ladder would mean for the members there are: asked before it is published."""

from collections import Counter
from typing import Annotated

import strawberry

from core.rulebook.moves import moves
from core.rulebook.programme import Programme
from graph.context import Info
from graph.permissions import query
from graph.tier import Tier
from graph.tokens import Role


@strawberry.type
class TierMove:
    """Members of one tier whom another ladder would have on another one."""

    former: Tier = strawberry.field(description="Where they stand.")
    tier: Tier = strawberry.field(description="Where they would stand.")
    member_count: int = strawberry.field(description="How many.")


@strawberry.type
class LadderChanges:
    """What another ladder means for the members there are, as things stand. New thresholds alone move nobody."""

    rise: list[TierMove] = strawberry.field(description="Who would rise, with whatever they do next.")
    fall: list[TierMove] = strawberry.field(
        description="Who would fall if they were judged today. They are judged on the day that was set before."
    )
    gone: list[TierMove] = strawberry.field(
        description="Whose tier it has not: they are handed over when the version begins."
    )


@strawberry.type
class MoveQueries:
    """What can be asked about tiers before a version is published."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def ladder_changes(
        self, info: Info, document: Annotated[str, strawberry.argument(description="The programme document: YAML.")]
    ) -> LadderChanges:
        """What the ladder of this document in place of the one in force means for members, by tier.

        All members are looked at with what was counted of them: seconds where there are hundreds of thousands.
        PROGRAMME_INVALID.
        """
        context = info.context
        programme = await context.laurel.load(document)
        current = (await context.version()).programme
        found = await moves(context.reader, programme, context.now)
        return LadderChanges(
            rise=_moves(current, programme, found.rise),
            fall=_moves(current, programme, found.fall),
            gone=_moves(current, programme, found.gone),
        )


def _moves(current: Programme, next_: Programme, counted: Counter[tuple[str, str]]) -> list[TierMove]:
    return [
        TierMove(former=Tier.of(current, former), tier=Tier.of(next_, tier), member_count=members)
        for (former, tier), members in sorted(counted.items())
    ]
