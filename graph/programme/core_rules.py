"""In the schema: the warning that core rules change more than once in a quarter."""

from collections.abc import Sequence
from datetime import date, datetime

import strawberry

from core.drafts.core_rules import ChangedAgain, changed_again, said_of
from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from graph.context import Info


@strawberry.type
class CoreRuleChange:
    """A version that changed core rules before."""

    version: int = strawberry.field(description="The version's number.")
    starts_at: datetime = strawberry.field(description="From when it judges.")
    rules: list[str] = strawberry.field(description="What it changed: channels.purchase.earn, tiers …")
    author: str = strawberry.field(description="Who published it.")
    reason: str = strawberry.field(description="Why.")
    published_at: datetime = strawberry.field(description="When.")


@strawberry.type
class CoreRuleWarning:
    """Core rules change more than once in a quarter: what members plan by should not. It stops nobody."""

    message: str = strawberry.field(description="The warning in a sentence, in English.")
    rules: list[str] = strawberry.field(description="What is changed: channels.purchase.earn, tiers …")
    quarter_ends_on: date = strawberry.field(description="The last day of the quarter, in the programme's calendar.")
    earlier: list[CoreRuleChange] = strawberry.field(description="What changed core rules in the quarter before.")


async def core_rule_warning(info: Info, programme: Programme, starts_at: datetime) -> CoreRuleWarning | None:
    """The warning for a programme that would judge from ``starts_at`` on."""
    return await _warning(changed_again((await info.context.programmes()).versions, programme, starts_at))


async def warning_of_version(versions: Sequence[Version], version: Version) -> CoreRuleWarning | None:
    """The warning for a version just published."""
    others = [one for one in versions if one.number != version.number]
    return await _warning(changed_again(others, version.programme, version.starts_at))


async def _warning(again: ChangedAgain | None) -> CoreRuleWarning | None:
    if again is None:
        return None
    numbers = [change.version.number for change in again.earlier]
    rows = {row.number: row for row in await ProgrammeVersionRow.filter(number__in=numbers)}
    return CoreRuleWarning(
        message=await said_of(again),
        rules=list(again.rules),
        quarter_ends_on=again.quarter_ends_on,
        earlier=[
            CoreRuleChange(
                version=change.version.number,
                starts_at=change.version.starts_at,
                rules=list(change.rules),
                author=rows[change.version.number].author,
                reason=rows[change.version.number].reason,
                published_at=rows[change.version.number].published_at,
            )
            for change in again.earlier
        ],
    )
