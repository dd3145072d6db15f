"""Rolling back in the schema: a former version's document as the newest version."""

from datetime import datetime

import strawberry

from core.drafts.rolling_back import roll_back
from graph.context import Info
from graph.errors import UserError
from graph.permissions import mutation
from graph.programme.core_rules import CoreRuleWarning, warning_of_version
from graph.programme.drafts import hand, not_alone, published
from graph.programme.versions import WARNING, Programme
from graph.tokens import Role


@strawberry.input
class RollBackProgrammeInput:
    """A version to put in force again."""

    version: int = strawberry.field(description="The number of the version whose document shall be in force again.")
    reason: str = strawberry.field(description="Why, 3 to 1000 characters.")
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when it judges; now if left out. Not in the past."
    )


@strawberry.type
class RollBackProgrammePayload:
    """What became of the request to roll back."""

    programme: Programme | None = strawberry.field(default=None, description="The new version; null when refused.")
    core_rule_warning: CoreRuleWarning | None = strawberry.field(default=None, description=WARNING)
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class RollbackMutations:
    """Rolling back."""

    @mutation(allow={Role.OPERATOR})
    async def roll_back_programme(self, info: Info, input: RollBackProgrammeInput) -> RollBackProgrammePayload:
        """Publish the document of a former version as the newest. What was judged meanwhile stays as it is.

        ROLLBACK_IMPOSSIBLE where it is the newest already, where this installation does not understand it any more, and
        where members have a unit or a tier that it does not know: a draft of it can be mended. SECOND_PERSON_NEEDED
        where nobody publishes alone: then a draft of the version is proposed.
        """
        not_alone(info)
        laurel = info.context.laurel
        version = await roll_back(
            hand(info),
            input.version,
            reason=input.reason,
            starts_at=input.starts_at,
            load=laurel.load,
            reader=info.context.reader,
        )
        programme = await published(info, version)
        return RollBackProgrammePayload(
            programme=programme,
            core_rule_warning=await warning_of_version(laurel.programmes.versions, version),
        )
