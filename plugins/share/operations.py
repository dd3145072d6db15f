"""What can be done about sharing: a member shares something, and somebody comes by what was shared."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from core.books.tallies import day_number
from core.channels.caps import draw
from core.channels.limits import used
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import day_start, next_day
from core.units import POINTS

from .models import Share
from .refusals import (
    AlreadyShared,
    OwnVisit,
    ShareAlreadyConfirmed,
    ShareCodeExpired,
    ShareNotFound,
    SharesNotOffered,
    SharesUsedUp,
    TooManySharesOpen,
)
from .rules import CHANNEL, SHARES, Proof, ShareSettings, code_of

TEXT_MAX: Final = 128

PENDING: Final = "pending"
REWARDED: Final = "rewarded"
REVERSED: Final = "reversed"


@dataclass(frozen=True, kw_only=True)
class RecordShare(Operation):
    """The member shares something. It earns at once, or waits for proof where the programme wants it.

    Refuses AlreadyShared, SharesUsedUp, TooManySharesOpen, SharesNotOffered, MemberNotActive, MemberFrozen,
    InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "record"

    item: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        work.check_may_earn()
        _check_text("item", self.item)
        day = day_number(work.today)
        share = await work.find(Share, item=self.item, day=day)
        if share is not None and share.status != REVERSED:
            resets_at = day_start(next_day(work.today), work.programme.zone)
            raise AlreadyShared(item=self.item, resets_at=resets_at)
        await _check_limits(work, settings)
        proof = settings.proof
        if proof is not None:
            await _check_open(work, proof)
        values: dict[str, Any] = {
            "transaction_id": work.operation_id,
            "programme_version": work.version.number,
            "status": REWARDED if proof is None else PENDING,
            "code": None if proof is None else code_of(work.operation_id),
            "visitor": None,
            "shared_at": work.now,
            "expires_at": None if proof is None else work.now + timedelta(days=proof.days),
            "rewarded_at": work.now if proof is None else None,
            "rewarded_by": work.operation_id if proof is None else None,
        }
        if share is None:
            work.add(Share, item=self.item, day=day, **values)
        else:
            work.save(share.update_from_dict(values))
        work.tell("share.recorded", item=self.item)
        points = await _reward(work, settings, self.item) if proof is None else 0
        return {"item": self.item, "points": points}


@dataclass(frozen=True, kw_only=True)
class ConfirmShare(Operation):
    """Somebody has come by what the member shared. It earns what the programme gave when it was shared.

    Refuses ShareNotFound, ShareAlreadyConfirmed, ShareCodeExpired, OwnVisit, SharesUsedUp, MemberNotActive,
    MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "confirm"

    code: str
    visitor: str

    async def perform(self, work: Work) -> dict[str, Any]:
        _check_text("visitor", self.visitor)
        rows = await work.rows(Share, code=self.code)
        share = await work.find(Share, item=rows[0].item, day=rows[0].day) if rows else None
        if share is None:
            raise ShareNotFound(share_code=self.code[:100])
        if share.status != PENDING:
            raise ShareAlreadyConfirmed(share_code=self.code, confirmed_at=share.rewarded_at)
        assert share.expires_at is not None, "a share that waits has a time until when"
        if share.expires_at <= work.now:
            raise ShareCodeExpired(share_code=self.code, expired_at=share.expires_at)
        if self.visitor in {work.member.id, work.member.external_id}:
            raise OwnVisit(share_code=self.code)
        work.check_may_earn()
        work.judge_by(share.programme_version)
        settings = _settings(work)
        await _check_limits(work, settings)
        share.status, share.visitor = REWARDED, self.visitor
        share.rewarded_at, share.rewarded_by = work.now, work.operation_id
        work.save(share)
        points = await _reward(work, settings, share.item)
        return {"item": share.item, "transaction": share.transaction_id, "points": points}


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes a reward back, it leaves room for another share."""
    if event.name != TRANSACTION_REVERSED or event.payload["channel"] != CHANNEL or not event.payload["whole"]:
        return
    (row,) = await work.rows(Share, rewarded_by=event.payload["transaction"])
    share = await work.find(Share, item=row.item, day=row.day)
    assert share is not None, "it was just read"
    share.status = REVERSED
    work.save(share)
    work.count(SHARES, -1, at=share.rewarded_at)


async def _reward(work: Work, settings: ShareSettings, item: str) -> int:
    points = await draw(work, f"{CHANNEL}:{POINTS}", settings.budget, settings.points)
    if points:
        await work.earn(points)
    work.count(SHARES, 1)
    work.tell("share.rewarded", item=item)
    return points


async def _check_limits(work: Work, settings: ShareSettings) -> None:
    limits = settings.limits
    left = limits.left(await used(work, SHARES, limits), work.today, work.programme.zone)
    if left is not None and not left.times:
        raise SharesUsedUp(period=left.period, resets_at=left.resets_at)


async def _check_open(work: Work, proof: Proof) -> None:
    waiting = [row.expires_at for row in await work.rows(Share, status=PENDING) if row.expires_at > work.now]
    if len(waiting) >= proof.open:
        raise TooManySharesOpen(limit=proof.open, resets_at=min(waiting))


def _settings(work: Work) -> ShareSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise SharesNotOffered(at=work.now)
    assert isinstance(settings, ShareSettings)
    return settings


def _check_text(field: str, text: str) -> None:
    if not 0 < len(text) <= TEXT_MAX:
        raise InvalidValue(field=field, reason=f"it must have 1 to {TEXT_MAX} characters")
    if not text.isprintable() or text != text.strip():
        raise InvalidValue(field=field, reason="it has characters that cannot be seen, or space around it")
