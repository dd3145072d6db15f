"""What can be done about a member as such: enrol, change what is known of them, change what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

import orjson

from core.books.members import ByExternalId, Frozen, MemberStatus
from core.engine.operations import Newcomer, Operation
from core.engine.work import FUTURE_TOLERANCE, Work
from core.errors import InvalidInstant, InvalidValue, MemberAlreadyEnrolled
from core.telling.events import MEMBER_STATUS_CHANGED, MEMBER_UPDATED

EARLIEST = date(1900, 1, 1)
"""Nobody is older, and no membership: what lies before is a slip of the keyboard."""

ATTRIBUTES_MAX = 4_000
"""Bytes of JSON that may be known of a member: enough for a profile, too little for a file."""


@dataclass(frozen=True, kw_only=True)
class EnrolMember(Operation):
    """Make a member of somebody whom the brand knows by an external id. Refuses MemberAlreadyEnrolled."""

    channel: ClassVar[str] = "membership"
    kind: ClassVar[str] = "enrol"

    birthday: date | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    enrolled_at: datetime | None = None

    def newcomer(self) -> Newcomer:
        return Newcomer(self.enrolled_at, self.birthday, self.attributes)

    async def perform(self, work: Work) -> dict[str, Any]:
        member = work.member
        assert isinstance(self.member, ByExternalId)
        if not work.is_newcomer:
            raise MemberAlreadyEnrolled(external_id=member.external_id, member_id=member.id)
        if self.enrolled_at is not None and self.enrolled_at > work.now + FUTURE_TOLERANCE:
            raise InvalidInstant(value=self.enrolled_at.isoformat(), reason="it lies in the future")
        if self.enrolled_at is not None and self.enrolled_at.date() < EARLIEST:
            raise InvalidInstant(value=self.enrolled_at.isoformat(), reason=f"it lies before {EARLIEST}")
        _check_profile(self.birthday, self.attributes, work)
        return {}


@dataclass(frozen=True, kw_only=True)
class UpdateMember(Operation):
    """Change what is known of a member. A field that is None stays; an attribute that is None is removed."""

    channel: ClassVar[str] = "membership"
    kind: ClassVar[str] = "update"

    birthday: date | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    async def perform(self, work: Work) -> dict[str, Any]:
        known = {**work.member.attributes, **self.attributes}
        attributes = {name: value for name, value in known.items() if value is not None}
        birthday = self.birthday or work.member.birthday
        _check_profile(birthday, attributes, work)
        work.change_member(birthday=birthday, attributes=attributes)
        work.tell(MEMBER_UPDATED)
        return {}


@dataclass(frozen=True, kw_only=True)
class ChangeMemberStatus(Operation):
    """Freeze, unfreeze or close a member. Only active members earn and spend; a closed one stays closed."""

    channel: ClassVar[str] = "membership"
    kind: ClassVar[str] = "change_status"

    status: MemberStatus
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        former = work.member.status
        if former == self.status:
            raise InvalidValue(field="status", reason=f"the member is {former} already")
        if former == MemberStatus.CLOSED:
            raise InvalidValue(field="status", reason="a closed membership stays closed")
        check_reason(self.reason)
        frozen = Frozen.BOTH.value if self.status == MemberStatus.FROZEN else None
        work.change_member(status=self.status, frozen=frozen, frozen_until=None)
        work.tell(MEMBER_STATUS_CHANGED, former=former, status=self.status, reason=self.reason)
        return {"former": former, "reason": self.reason}


def check_reason(reason: str) -> None:
    """Raise InvalidValue unless the reason says something."""
    if not 3 <= len(reason.strip()) <= 1_000:
        raise InvalidValue(field="reason", reason="it must have 3 to 1000 characters")
    if "\0" in reason:
        # PostgreSQL has no word for it.
        raise InvalidValue(field="reason", reason="it holds the character U+0000")


def _check_profile(birthday: date | None, attributes: Mapping[str, Any], work: Work) -> None:
    if birthday is not None and not EARLIEST <= birthday <= work.today:
        raise InvalidValue(field="birthday", reason=f"{birthday} is not a day between {EARLIEST} and today")
    if len(orjson.dumps(attributes, default=str)) > ATTRIBUTES_MAX:
        raise InvalidValue(field="attributes", reason=f"they are longer than {ATTRIBUTES_MAX} bytes")
