"""``laurel import orders``: a row is a sale, a refund, a cancellation or an adjustment, and becomes its operation."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from core.books.members import ByExternalId
from core.engine.operations import Operation
from core.errors import InvalidAmount, InvalidInstant, InvalidValue, MemberNotFound
from plugins.hookspecs import Importer, Importing, Message, Row

from .guests import GuestRequest, RecordGuestOrder, RefundGuestOrder
from .operations import ImportAdjustment, Line, PaidWithPoints, RecordPurchase, RefundPurchase
from .orders import Return
from .refusals import OrderNotFound

COLUMNS: Final[Mapping[str, str]] = {
    "kind": "sale (the default), refund, cancellation (of all that is left of an order) or adjustment",
    "reference": "the number of the sale, refund, cancellation or adjustment; a row is imported once",
    "member": "the brand's own id of the member, who is enrolled if unknown",
    "customer": "a guest's order: the shop's key of the guest, who is no member; read where there is no member",
    "at": "when it was, ISO 8601; without an offset in the programme's time zone",
    "amount": "money paid or refunded",
    "currency": "ISO 4217; the programme's when it is left out",
    "order": "refund, cancellation: the reference of the sale",
    "quantity": "how many pieces, where there are no lines",
    "category": "the category of the whole order",
    "order_kind": "the kind of order that rules may ask for",
    "promised": "points that the till has promised",
    "points_spent": "points that were spent on the order",
    "points_amount": "the part of the amount that they paid for; 0 when the amount is without it",
    "lines": "JSON lines only: sku, quantity, amount, category, tags, gift, void of each line",
    "points": "adjustment: points given, or taken when negative",
    "reason": "adjustment: why",
}
_LINE_COLUMNS: Final = frozenset({"sku", "quantity", "amount", "category", "tags", "gift", "void"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]{1,16}", re.ASCII)


def operation(row: Row, importing: Importing) -> Operation:
    """What the row asks for. Raises InvalidValue, InvalidAmount or InvalidInstant for one that cannot be meant."""
    _check_columns(row)
    kind = row.get("kind", "sale")
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise InvalidValue(field="kind", reason=f"must be one of {', '.join(_KINDS)}")
    at = _instant(_text(row, "at"), importing)
    asked = {
        "member": ByExternalId(_text(row, "member")),
        "actor": importing.actor,
        "at": at if importing.replaying else None,
    }
    return make(row, at, asked)


def _check_columns(row: Row) -> None:
    for name in row:
        if name not in COLUMNS:
            raise InvalidValue(field=str(name)[:64], reason="there is no such column")


def _sale(row: Row, at: datetime, asked: dict[str, Any]) -> Operation:
    reference = _text(row, "reference")
    spent = _whole(row, "points_spent")
    worth = _number(row, "points_amount") if "points_amount" in row else Decimal(0)
    return RecordPurchase(
        **asked,
        idempotency_key=f"order:{reference}",
        reference=reference,
        amount=_number(row, "amount"),
        currency=_optional(row, "currency"),
        occurred_at=at,
        lines=tuple(_line(line) for line in _lines(row)),
        quantity=_number(row, "quantity") if "quantity" in row else None,
        order_kind=_optional(row, "order_kind"),
        category=_optional(row, "category"),
        paid_with_points=PaidWithPoints(spent, worth) if spent else None,
        promised=_whole(row, "promised"),
        enrol_if_unknown=True,
    )


def _refund(row: Row, at: datetime, asked: dict[str, Any]) -> Operation:
    lines = tuple(_return(line) for line in _lines(row))
    # The amount of a refund by lines is that of its lines.
    amount = None if lines else _number(row, "amount")
    return _refund_of(row, at, asked, amount, lines)


def _cancellation(row: Row, at: datetime, asked: dict[str, Any]) -> Operation:
    return _refund_of(row, at, asked, None, ())


def _refund_of(
    row: Row, at: datetime, asked: dict[str, Any], amount: Decimal | None, lines: tuple[Return, ...]
) -> Operation:
    reference = _text(row, "reference")
    return RefundPurchase(
        **asked,
        idempotency_key=f"refund:{reference}",
        order=_text(row, "order"),
        reference=reference,
        amount=amount,
        currency=_optional(row, "currency"),
        lines=lines,
        occurred_at=at,
    )


def _adjustment(row: Row, at: datetime, asked: dict[str, Any]) -> Operation:
    return ImportAdjustment(
        **asked,
        idempotency_key=f"adjustment:{_text(row, 'reference')}",
        points=_whole(row, "points"),
        reason=_text(row, "reason"),
    )


_KINDS: Final[Mapping[str, Callable[[Row, datetime, dict[str, Any]], Operation]]] = {
    "sale": _sale,
    "refund": _refund,
    "cancellation": _cancellation,
    "adjustment": _adjustment,
}


def of_guest(row: Row, importing: Importing) -> GuestRequest:
    """What a row without a member asks for: it is of a guest. Raises what ``operation`` does."""
    _check_columns(row)
    at, reference, kind = _instant(_text(row, "at"), importing), _text(row, "reference"), row.get("kind", "sale")
    if kind == "sale":
        if _whole(row, "points_spent"):
            raise InvalidValue(field="points_spent", reason="a guest has no points")
        return RecordGuestOrder(
            actor=importing.actor,
            reference=reference,
            amount=_number(row, "amount"),
            currency=_optional(row, "currency"),
            occurred_at=at,
            customer=_optional(row, "customer"),
        )
    if kind not in ("refund", "cancellation"):
        raise InvalidValue(field="kind", reason="a guest's order is a sale, a refund or a cancellation")
    return RefundGuestOrder(
        actor=importing.actor,
        order=_text(row, "order"),
        reference=reference,
        amount=_refunded(row) if kind == "refund" else None,
        currency=_optional(row, "currency"),
    )


def _refunded(row: Row) -> Decimal:
    """What a guest got back: the amount, or what the lines come to, as no lines of the order are kept."""
    lines = _lines(row)
    return sum((_number(line, "amount") for line in lines), Decimal(0)) if lines else _number(row, "amount")


_ORDER_TO_COME: Final = frozenset({OrderNotFound.code, MemberNotFound.code})

ORDERS: Final = Importer(
    name="orders",
    columns=COLUMNS,
    required=frozenset({"reference", "member", "at"}),
    operation=operation,
    of_nobody=of_guest,
    messages={
        "order.paid": Message(columns={"kind": "sale"}),
        "order.refunded": Message(columns={"kind": "refund"}, waits_for=_ORDER_TO_COME),
        "order.cancelled": Message(columns={"kind": "cancellation"}, waits_for=_ORDER_TO_COME),
    },
)


# -- cells --------------------------------------------------------------------------------------------


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    if value is None or value == "":
        raise InvalidValue(field=column, reason="it is missing")
    if not isinstance(value, str):
        raise InvalidValue(field=column, reason="must be text")
    return value


def _optional(row: Row, column: str) -> str | None:
    return _text(row, column) if column in row else None


def _number(row: Row, column: str) -> Decimal:
    match row.get(column):
        case str(text) if _NUMBER.fullmatch(text):
            return Decimal(text)
        case bool():
            raise InvalidAmount(value="true or false", reason=f"{column} must be a number")
        case int(number):
            return Decimal(number)
        case None:
            raise InvalidValue(field=column, reason="it is missing")
        case float(number):
            raise InvalidAmount(value=str(number), reason=f"{column} with decimals must be text, so that it is exact")
        case other:
            raise InvalidAmount(value=str(other)[:40], reason=f"{column} must be a plain decimal number")


def _whole(row: Row, column: str) -> int:
    """A whole number; 0 when there is none."""
    match row.get(column):
        case None:
            return 0
        case str(text) if _WHOLE.fullmatch(text):
            return int(text)
        case int(number) if type(number) is int:
            return number
        case other:
            raise InvalidAmount(value=str(other)[:40], reason=f"{column} must be a whole number")


def _instant(text: str, importing: Importing) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInstant(value=text[:40], reason="it is not ISO 8601, such as 2026-07-02T12:00:00") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=importing.zone)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InvalidInstant(value=text[:40], reason="it lies outside of the calendar") from None


def _lines(row: Row) -> list[Mapping[str, Any]]:
    lines = row.get("lines", [])
    if not isinstance(lines, list) or not all(isinstance(line, Mapping) for line in lines):
        raise InvalidValue(field="lines", reason="must be a list of objects")
    for line in lines:
        if unknown := line.keys() - _LINE_COLUMNS:
            raise InvalidValue(field="lines", reason=f"a line has no {min(unknown)!r}")
    return lines


def _line(line: Mapping[str, Any]) -> Line:
    tags = line.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidValue(field="lines", reason="tags must be a list of texts")
    return Line(
        sku=_text(line, "sku"),
        quantity=_number(line, "quantity") if "quantity" in line else 1,
        amount=_number(line, "amount") if "amount" in line else None,
        category=_optional(line, "category"),
        tags=tuple(tags),
        gift=_flag(line, "gift"),
        void=_flag(line, "void"),
    )


def _return(line: Mapping[str, Any]) -> Return:
    return Return(
        sku=_text(line, "sku"),
        quantity=_number(line, "quantity") if "quantity" in line else None,
        amount=_number(line, "amount") if "amount" in line else None,
    )


def _flag(line: Mapping[str, Any], name: str) -> bool:
    match line.get(name, False):
        case bool(flag):
            return flag
        case _:
            raise InvalidValue(field="lines", reason=f"{name} must be true or false")
