"""Public notices: what an operator has to tell all members, such as what became of those who cheated.

A notice is read from its start until its end. Neither its text nor its start is ever changed: what was said, was said.
It is withdrawn by giving it an end.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from core.engine.work import FUTURE_TOLERANCE
from core.errors import IdempotencyKeyMismatch, InvalidInstant, InvalidValue, NotFound, Refusal, fact
from core.models import NoticeRow
from core.oversight.audit import State
from core.oversight.auditing import audited, write_down
from core.time.clock import Clock, rfc3339

TITLE_MAX: Final = 200
TEXT_MAX: Final = 4_000


class NoticeNotFound(NotFound):
    """No such notice."""

    code = "NOTICE_NOT_FOUND"
    says = "no notice {notice}"
    says_zh = "没有公告 {notice}"
    notice: str = fact("The notice that was asked for.")


class NoticeEnded(Refusal):
    """The notice has ended already."""

    code = "NOTICE_ENDED"
    says = "the notice ended at {ended_at}"
    says_zh = "该公告已于 {ended_at} 结束"
    ended_at: datetime = fact("When it ended.")


async def publish_notice(
    *,
    title: str,
    text: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    key: str,
    actor: str,
    clock: Clock,
) -> tuple[NoticeRow, bool]:
    """A new notice, read from ``starts_at`` on, or from now; and whether this key had published it before.

    Raises InvalidValue, InvalidInstant, and IdempotencyKeyMismatch when the key has published another one.
    """
    title, text, now = title.strip(), text.strip(), clock.now()
    for field, given, longest in (("title", title, TITLE_MAX), ("text", text, TEXT_MAX)):
        if not 3 <= len(given) <= longest:
            raise InvalidValue(field=field, reason=f"it must have 3 to {longest} characters")
    # One key of one actor is one notice.
    id = str(uuid5(NAMESPACE_OID, f"notice:{actor}:{key}"))

    async def write() -> tuple[NoticeRow, bool]:
        known = await NoticeRow.get_or_none(id=id)
        if known is not None:
            if (known.title, known.text) != (title, text) or starts_at not in (None, known.starts_at):
                raise IdempotencyKeyMismatch(idempotency_key=key)
            return known, True
        begins = now if starts_at is None else starts_at
        if begins < now - FUTURE_TOLERANCE:
            raise InvalidInstant(value=begins.isoformat(), reason="a notice begins now or later")
        if ends_at is not None and ends_at <= max(begins, now):
            raise InvalidInstant(
                value=ends_at.isoformat(), reason="a notice ends after it has begun, and not in the past"
            )
        row = await NoticeRow.create(
            id=id, title=title, text=text, starts_at=begins, ends_at=ends_at, author=actor, published_at=now
        )
        await write_down(now, before={}, after=_facts(row))
        return row, False

    return await audited(write)


async def withdraw_notice(id: str, *, clock: Clock) -> NoticeRow:
    """End a notice now; one that has not begun is never read. Raises NoticeNotFound, NoticeEnded."""
    now = clock.now()

    async def write() -> NoticeRow:
        row = await NoticeRow.get_or_none(id=id)
        if row is None:
            raise NoticeNotFound(notice=id)
        end: datetime | None = row.ends_at
        if end is not None and end <= now:
            raise NoticeEnded(ended_at=end)
        before = _facts(row)
        row.ends_at = now
        await row.save(update_fields=["ends_at"])
        await write_down(now, before=before, after=_facts(row))
        return row

    return await audited(write)


def _facts(row: NoticeRow) -> State:
    """What the audit log says of a notice: of its words a mark only, as the log is kept for ever."""
    words = hashlib.sha256(f"{row.title}\n{row.text}".encode()).hexdigest()[:12]
    end: datetime | None = row.ends_at
    ends = {} if end is None else {"ends_at": rfc3339(end)}
    return {"notice": row.id, "words": words, "starts_at": rfc3339(row.starts_at), **ends}
