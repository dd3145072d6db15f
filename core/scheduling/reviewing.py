"""Finding the tiers about which something is due: by an index, so that it costs what is due and not what there is."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from core.books.members import BUCKETS
from core.engine.operations import Operation
from core.ladder.reviews import adoption, review
from core.rulebook.programmes import Programmes, Version
from core.scheduling.sweep import Due
from core.store.dialect import Reader
from core.store.tables import Row
from core.time.clock import instant, microseconds

_SLICES: Final = 64
"""How many parts the members are read in, so that memory does not grow with a new ladder."""


def reviews_due(actor: str, now: datetime) -> Due:
    """The members about whose tier something is due."""

    def operation(row: Row) -> Operation:
        member_id, tier_changes, due = row
        return review(member_id, tier_changes, instant(due), actor)

    where = f"tier_due_at <= {microseconds(now)}"
    return Due("id, tier_changes, tier_due_at", "member", where, "tier_due_at", operation)


def begun(programmes: Programmes, now: datetime, since: datetime | None) -> list[Version]:
    """The versions with a ladder that have come into force since then; the one in force where that is not known."""
    versions = [version for version in programmes.versions if version.starts_at <= now]
    versions = versions[-1:] if since is None else [each for each in versions if each.starts_at > since]
    return [version for version in versions if version.programme.tiers is not None]


async def adoptions(reader: Reader, version: Version, *, actor: str) -> AsyncIterator[Sequence[Operation]]:
    """What a new ladder asks to be done, in parts: members whose tier it has not, and who has no date yet.

    All members are looked at, once for each version.
    """
    ladder = version.programme.tiers
    assert ladder is not None
    known = ", ".join(f"'{tier.id}'" for tier in ladder.ladder)
    wanted = f"tier NOT IN ({known}, '')"
    if ladder.keep is not None:
        above = ", ".join(f"'{tier.id}'" for tier in ladder.ladder[1:])
        wanted = f"({wanted} OR (tier IN ({above}) AND tier_due_at IS NULL AND status <> 'closed'))"
    width = BUCKETS // _SLICES
    for part in range(_SLICES):
        rows = await reader.query(
            f"SELECT id, tier_since FROM member WHERE bucket >= {part * width} AND bucket < {(part + 1) * width}"
            f" AND {wanted} ORDER BY bucket, id"
        )
        yield [
            adoption(member_id, version, max(version.starts_at, instant(tier_since)), actor)
            for member_id, tier_since in rows
        ]
