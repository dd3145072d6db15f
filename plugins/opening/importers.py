"""``laurel import members`` and ``laurel import balances``: the rows of another system's members and lots."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from core.books.members import ByExternalId
from core.engine.operations import Operation
from core.errors import InvalidAmount, InvalidInstant, InvalidValue
from plugins.hookspecs import Importer, Importing, Row

from .operations import OpenBalance, OpenMember

_WHOLE: Final = re.compile(r"-?[0-9]{1,16}", re.ASCII)


def _member(row: Row, importing: Importing) -> Operation:
    external_id = _text(row, "member")
    return OpenMember(
        member=ByExternalId(external_id),
        idempotency_key=f"member:{external_id}",
        actor=importing.actor,
        enrolled_at=_instant(row, "enrolled_at", importing),
        birthday=_day(row, "birthday"),
        tier=_text(row, "tier") if "tier" in row else None,
        attributes=_attributes(row),
    )


def _balance(row: Row, importing: Importing) -> Operation:
    earned_at = _instant(row, "earned_at", importing)
    if earned_at is None:
        raise InvalidValue(field="earned_at", reason="it is missing")
    return OpenBalance(
        member=ByExternalId(_text(row, "member")),
        idempotency_key=f"balance:{_text(row, 'reference')}",
        actor=importing.actor,
        points=_points(row),
        earned_at=earned_at,
        expires_on=_day(row, "expires_on"),
        unit=(row.get("unit") and _text(row, "unit")) or "points",
    )


MEMBERS: Final = Importer(
    name="members",
    columns={
        "member": "the brand's own id of the member; each is imported once",
        "enrolled_at": "when they joined, ISO 8601; without an offset in the programme's time zone; now if left out",
        "birthday": "their birthday, 1990-01-31",
        "tier": "the tier that they have; the first one if left out",
        "attributes": "what else is known, a JSON object of texts",
    },
    required=frozenset({"member"}),
    operation=_member,
)

BALANCES: Final = Importer(
    name="balances",
    columns={
        "member": "the brand's own id of the member, who has to be there",
        "reference": "the number of the lot, unique for the member; a lot is imported once",
        "unit": "points, growth …; points if left out",
        "points": "how much is left of the lot",
        "earned_at": "when it was earned, ISO 8601; without an offset in the programme's time zone",
        "expires_on": "the day from whose beginning on it cannot be used; left out, it never expires",
    },
    required=frozenset({"member", "reference", "points", "earned_at"}),
    operation=_balance,
)


# -- cells --------------------------------------------------------------------------------------------


def _text(row: Row, column: str) -> str:
    match row.get(column):
        case str(text) if text:
            return text
        case None | "":
            raise InvalidValue(field=column, reason="it is missing")
        case _:
            raise InvalidValue(field=column, reason="must be text")


def _points(row: Row) -> int:
    match row.get("points"):
        case int(number) if type(number) is int:
            return number
        case str(text) if _WHOLE.fullmatch(text):
            return int(text)
        case other:
            raise InvalidAmount(value=str(other)[:40], reason="points must be a whole number")


def _instant(row: Row, column: str, importing: Importing) -> datetime | None:
    if column not in row:
        return None
    text = _text(row, column)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=importing.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInstant(value=text[:40], reason="it is not ISO 8601, such as 2026-07-02T12:00:00") from None


def _day(row: Row, column: str) -> date | None:
    if column not in row:
        return None
    text = _text(row, column)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInstant(value=text[:40], reason=f"{column} must be a day, such as 2026-07-02") from None


def _attributes(row: Row) -> Mapping[str, Any]:
    given = row.get("attributes", {})
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError as error:
            raise InvalidValue(field="attributes", reason="they are no JSON") from error
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise InvalidValue(field="attributes", reason="they must be an object of texts")
    return given
