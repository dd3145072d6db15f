"""Rolling back: a former version's document as the newest version.

A version never changes and none is taken away, so that rolling back is publishing. What has moved past the former
version stands in its way: a document that this installation no longer understands, and units and tiers that members
have and it has not. A draft of it can be mended and published instead.
"""

from datetime import datetime

from core.drafts.drafting import Hand, find_version
from core.drafts.refusals import RollbackImpossible
from core.errors import ProgrammeInvalid
from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.rulebook.publishing import newest_understood, publish
from core.rulebook.reading import Read
from core.store.dialect import Reader


async def roll_back(
    hand: Hand,
    number: int,
    *,
    reason: str,
    starts_at: datetime | None,
    load: Read,
    reader: Reader,
) -> Version:
    """Publish the document of that version as the newest.

    Raises VersionNotFound, RollbackImpossible, and what publishing does.
    """
    row = await find_version(number)
    newest = await ProgrammeVersionRow.all().order_by("-number").first()
    assert newest is not None, "a version was found"
    if row.number == newest.number:
        raise RollbackImpossible(version=number, reason="it is the newest already")
    if row.digest == newest.digest:
        raise RollbackImpossible(version=number, reason=f"version {newest.number}, the newest, says the same")
    try:
        former = await load(row.document)
    except ProgrammeInvalid as invalid:
        reason_ = f"this installation does not understand it any more:\n{invalid.summary}"
        raise RollbackImpossible(version=number, reason=reason_) from None
    await _fits_what_members_have(number, former, await newest_understood(load), reader)
    return await publish(
        row.document, author=hand.actor, reason=reason, load=load, clock=hand.clock, starts_at=starts_at
    )


async def _fits_what_members_have(number: int, former: Programme, newest: Programme | None, reader: Reader) -> None:
    if newest is not None and former.currency != newest.currency:
        reason = f"it counts in {former.currency}, and what members have spent is counted in {newest.currency}"
        raise RollbackImpossible(version=number, reason=reason)
    units = await reader.query("SELECT unit, COUNT(*) FROM account WHERE credited > debited GROUP BY unit")
    for unit, members in sorted(units):
        if unit not in former.all_units:
            raise RollbackImpossible(version=number, reason=f"it has no unit {unit!r}, which {members:,} members hold")
    tiers = await reader.query("SELECT tier, COUNT(*) FROM member WHERE tier <> '' GROUP BY tier")
    for tier, members in sorted(tiers):
        if not _has_place_for(former, tier):
            raise RollbackImpossible(
                version=number, reason=f"it has no tier {tier!r}, on which {members:,} members are"
            )


def _has_place_for(former: Programme, tier: str) -> bool:
    ladder = former.tiers
    return ladder is not None and (ladder.rank(tier) >= 0 or tier in ladder.replaces)
