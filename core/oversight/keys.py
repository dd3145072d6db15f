"""API keys: what a backend sends instead of a token. A key is told once and kept as its SHA-256 only.

A key is 32 random bytes, so that its digest can be looked up as it is: nothing can be guessed from it, and nothing is
gained by slowing the hash down.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from core.books.members import new_id
from core.errors import InvalidInstant, InvalidValue, NotFound, Refusal, fact
from core.models import ApiKeyRow
from core.oversight.audit import State
from core.oversight.auditing import audited, write_down
from core.time.clock import Clock

PREFIX: Final = "laurel_"
NAME_MAX: Final = 150
OVERLAP_MAX: Final = timedelta(days=30)
USED_EVERY: Final = timedelta(hours=1)
"""How coarsely it is written down when a key was last used."""

_HINT_LENGTH: Final = len(PREFIX) + 4
_SHAPE: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class ApiKeyNotFound(NotFound):
    """There is no API key with that id."""

    code = "API_KEY_NOT_FOUND"
    says = "no API key {key}"
    says_zh = "没有 API 密钥 {key}"
    key: str = fact("The id as it was given.")


class ApiKeyEnded(Refusal):
    """The API key was revoked, or has expired."""

    code = "API_KEY_ENDED"
    says = "API key {key} ended at {ended_at}"
    says_zh = "API 密钥 {key} 已于 {ended_at} 失效"
    key: str = fact("The key's id.")
    ended_at: datetime = fact("When it ended.")


def is_key(text: str) -> bool:
    """Whether this could be a key at all.

    >>> is_key("laurel_" + "x" * 43), is_key("laurel_x"), is_key("eyJhbGciOi.eyJzdWIi.c2ln")
    (True, False, False)
    """
    return _SHAPE.fullmatch(text) is not None


def digest_of(key: str) -> str:
    """Under which a key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def ends_at(row: ApiKeyRow) -> datetime | None:
    """When a key ends or has ended: revoked or expired, whichever comes first. None when it does not."""
    ends: list[datetime | None] = [row.revoked_at, row.expires_at]
    return min((at for at in ends if at is not None), default=None)


async def find_key(key: str) -> ApiKeyRow | None:
    """The row of a key that was created here, whether or not it still holds."""
    digest = digest_of(key)
    row = await ApiKeyRow.get_or_none(digest=digest)
    return row if row is not None and secrets.compare_digest(row.digest, digest) else None


async def note_use(row: ApiKeyRow, now: datetime) -> None:
    """Write down that the key was used, unless that was done within the hour."""
    used_at: datetime | None = row.used_at
    if used_at is None or now - used_at >= USED_EVERY:
        await ApiKeyRow.filter(id=row.id).update(used_at=now)


async def create_key(
    *,
    name: str,
    role: str,
    channels: Collection[str] = (),
    capabilities: Collection[str] = (),
    expires_at: datetime | None = None,
    actor: str,
    clock: Clock,
) -> tuple[ApiKeyRow, str]:
    """A new key, and the only sight of it. Raises InvalidValue and InvalidInstant."""
    if not 0 < len(name.strip()) <= NAME_MAX:
        raise InvalidValue(field="name", reason=f"it must have 1 to {NAME_MAX} characters")
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidInstant(value=expires_at.isoformat(), reason="a key ends in the future")

    async def write() -> tuple[ApiKeyRow, str]:
        row, key = await _insert(
            name=name.strip(),
            role=role,
            channels=sorted(channels),
            capabilities=sorted(capabilities),
            created_at=now,
            created_by=actor,
            expires_at=expires_at,
        )
        await write_down(now, before={}, after=_facts(row))
        return row, key

    return await audited(write)


async def rotate_key(id: str, *, overlap: timedelta, actor: str, clock: Clock) -> tuple[ApiKeyRow, str]:
    """A new key for the same caller; the old one goes on for ``overlap`` and then ends.

    Raises ApiKeyNotFound, ApiKeyEnded, InvalidValue.
    """
    if not timedelta() <= overlap <= OVERLAP_MAX:
        raise InvalidValue(field="overlapSeconds", reason=f"it lies between 0 and {OVERLAP_MAX.days} days")
    now = clock.now()

    async def write() -> tuple[ApiKeyRow, str]:
        old = await _held(id, now)
        before = _facts(old)
        row, key = await _insert(
            name=old.name,
            role=old.role,
            channels=old.channels,
            capabilities=old.capabilities,
            created_at=now,
            created_by=actor,
            expires_at=old.expires_at,
            replaces=old.id,
        )
        end: datetime | None = old.expires_at
        old.expires_at = now + overlap if end is None else min(end, now + overlap)
        await old.save(update_fields=["expires_at"])
        await write_down(now, before=before, after={**_facts(old), "replaced_by": row.id})
        return row, key

    return await audited(write)


async def revoke_key(id: str, *, clock: Clock) -> ApiKeyRow:
    """End a key now. Raises ApiKeyNotFound, ApiKeyEnded."""
    now = clock.now()

    async def write() -> ApiKeyRow:
        row = await _held(id, now)
        before = _facts(row)
        row.revoked_at = now
        await row.save(update_fields=["revoked_at"])
        await write_down(now, before=before, after=_facts(row))
        return row

    return await audited(write)


async def _insert(**values: Any) -> tuple[ApiKeyRow, str]:
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    row = await ApiKeyRow.create(id=new_id(), digest=digest_of(key), hint=key[:_HINT_LENGTH], **values)
    return row, key


async def _held(id: str, now: datetime) -> ApiKeyRow:
    """The key of that id, locked, which must still hold."""
    row = await ApiKeyRow.select_for_update().get_or_none(id=id)
    if row is None:
        raise ApiKeyNotFound(key=id)
    ended = ends_at(row)
    if ended is not None and ended <= now:
        raise ApiKeyEnded(key=id, ended_at=ended)
    return row


def _facts(row: ApiKeyRow) -> State:
    """What the audit log says of a key: all but its digest."""
    facts = {"key": row.id, "name": row.name, "role": row.role}
    facts |= {"channels": " ".join(row.channels), "capabilities": " ".join(row.capabilities)}
    ended = ends_at(row)
    return {**facts, "ends_at": ended.isoformat()} if ended else facts
