"""What is asked of the core: an operation goes in, an outcome comes out.

An operation is a frozen value with an idempotency key that performs alone for its member. A channel's author writes
one ``perform`` and never thinks of locks, retries, batches or idempotency.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import orjson

from core.books.accounts import Account
from core.books.members import ByExternalId, Member, MemberRef
from core.errors import InvalidValue, Refusal
from core.time.clock import microseconds

if TYPE_CHECKING:
    from core.engine.work import Work
    from core.rulebook.programmes import Programmes


BY_RULE: Final = "by_rule"
"""Where the result of an operation keeps what each rule gave: see ``ByRule``."""

ByRule = tuple[str, str, int]
"""A unit, a rule and what it gave: ``of>group>rule``, or ``of>>day`` for what took something away of it."""

Foreseen = tuple[type, str, Mapping[str, Any]]
"""Rows of the member: their kind, the condition and the columns, as ``Work.rows`` takes them."""

EXTERNAL_ID_MAX: Final = 128
KEY_MAX: Final = 200


class Newcomer(NamedTuple):
    """What is known of a member who does not exist yet and may be enrolled by the operation."""

    enrolled_at: datetime | None = None
    birthday: date | None = None
    attributes: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Operation(ABC):
    """One request about one member. Subclasses are frozen dataclasses whose fields are the request.

    ``idempotency_key`` is unique for the member and the channel, for ever; derive it from the business event
    (``order:<reference>``) where there is one. ``at`` is the clock of a replay of the past and None otherwise:
    nothing that a client sends may set it. ``actor`` is who asked, for the record.
    """

    channel: ClassVar[str]
    kind: ClassVar[str]
    reaches_merged: ClassVar[bool] = False
    """Whether it is performed for a member who was merged into another too: what gives back or takes back.

    What it leaves in the books goes on to the other at once. Everything else is refused and says where the member is.
    """

    member: MemberRef
    idempotency_key: str
    actor: str
    at: datetime | None = field(default=None)

    @abstractmethod
    async def perform(self, work: "Work") -> dict[str, Any]:
        """Do it for the one member, and return what the answer needs as plain JSON.

        Raise a Refusal to leave nothing behind. Await nothing but what ``work`` offers.
        """

    def newcomer(self) -> Newcomer | None:
        """Who to enrol when the member, named by external id, is unknown; None refuses an unknown member."""
        return None

    def foresees(self) -> Sequence[Foreseen]:
        """Rows for which ``perform`` is going to ask its work, so that they are read with what all operations need.

        For rows of which there are few or hardly ever any: to read many beside others takes longer than alone.
        """
        return ()

    def effective_at(self, programmes: "Programmes", recorded_at: datetime) -> datetime:
        """When it is effective, in a batch of that instant."""
        return self.at or recorded_at

    def request(self) -> bytes:
        """What is asked for as JSON: all fields but who asked and whom about, the key and the replay's clock."""
        # Kept beside the fields, as it is asked for before the operation is performed, and each time that it is.
        made: bytes | None = self.__dict__.get(_REQUEST)
        if made is None:
            made = orjson.dumps(_request_of(type(self))(self), default=_hashable, option=_SORTED)
            self.__dict__[_REQUEST] = made
        return made

    def request_hash(self) -> str:
        """SHA-256 of the request."""
        return hashlib.sha256(self.request()).hexdigest()


class DueOperation(Operation):
    """What the programme itself asks for at an instant, which may have passed by the time that it is performed."""

    def effective_at(self, programmes: "Programmes", recorded_at: datetime) -> datetime:
        """At its instant; where nobody can judge by that version any more, when the next one that judges begins."""
        at = super().effective_at(programmes, recorded_at)
        return programmes.understood_from(at, recorded_at)


def check_names(operation: Operation) -> None:
    """Raise InvalidValue when the operation is named by what cannot be kept alike in every database."""
    _check_name("idempotencyKey", operation.idempotency_key, KEY_MAX)
    if isinstance(operation.member, ByExternalId):
        _check_name("externalId", operation.member.external_id, EXTERNAL_ID_MAX)
    else:
        _check_name("id", operation.member.id, EXTERNAL_ID_MAX)


def _check_name(field_name: str, name: str, longest: int) -> None:
    if not 0 < len(name) <= longest:
        raise InvalidValue(field=field_name, reason=f"it must have 1 to {longest} characters")
    # PostgreSQL has no NUL in a text, and half of a surrogate pair is no letter anywhere.
    if "\0" in name or (not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name)):
        raise InvalidValue(field=field_name, reason="it has a character that is none")


_REQUEST: Final = "_request"
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


@cache
def _request_of(kind: type[Operation]) -> Callable[[Operation], tuple[Any, ...]]:
    left_out = {"member", "idempotency_key", "actor", "at"}
    return attrgetter("channel", "kind", *(f.name for f in fields(kind) if f.name not in left_out))


def _hashable(value: Any) -> Any:
    match value:
        case Decimal():
            # 10, 10.0 and 1E+1 are one amount.
            return format(value.normalize(), "f")
        case datetime():
            assert value.tzinfo is not None, f"{value} has no zone"
            return microseconds(value.astimezone(UTC))
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case frozenset() | set():
            # A set has another order in each process.
            return sorted(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be part of a request")


class Recorded(NamedTuple):
    """An operation as it stands in the database: the idempotency record, with the outcome, refusals included.

    ``result`` is what ``perform`` returned, the ``events`` it caused and what was given ``by_rule``, or the refusal.
    ``reverses`` is the id of the transaction that this one takes back, wholly or in part.
    """

    channel: str
    idempotency_key: str
    id: str
    kind: str
    request_hash: str
    accepted: bool
    result: Mapping[str, Any]
    actor: str
    programme_version: int
    reverses: str | None
    effective_at: datetime
    recorded_at: datetime


class Outcome(NamedTuple):
    """What became of one operation.

    ``recorded`` is None when it could not be stored: there is no such member, or the key belongs to another request.
    ``replayed`` says that it had been performed before and this is the stored outcome. ``member`` is the member as the
    operation left them, where there is one, and so are their ``accounts``.
    """

    member_id: str | None
    recorded: Recorded | None
    refusal: Refusal | None = None
    replayed: bool = False
    member: Member | None = None
    accounts: Sequence[Account] = ()

    @property
    def accepted(self) -> bool:
        return self.refusal is None

    @property
    def result(self) -> Mapping[str, Any]:
        """What ``perform`` returned. Raises the refusal when there was one."""
        if self.refusal is not None:
            raise self.refusal
        assert self.recorded is not None
        return self.recorded.result
