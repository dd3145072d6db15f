"""The pieces that every section of a programme document is made of.

A document is strict: unknown keys are refused, numbers with a point are quoted text so that no float
ever stands between an order and a point, and instants carry their offset.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.units import AMOUNT_MAX

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)


class Section(BaseModel):
    """A part of the document with keys of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _quoted_decimal(value: Any) -> Decimal:
    match value:
        case bool() | float():
            raise PydanticCustomError("decimal", 'a number with a point must be quoted: "1.2"')
        case int() if 0 <= value <= AMOUNT_MAX:
            return Decimal(value)
        case str() if _DECIMAL.fullmatch(value):
            return Decimal(value)
        case Decimal() if value.is_finite() and value >= 0:
            return value
        case _:
            raise PydanticCustomError("decimal", 'not a decimal number of 0 or more, such as "1.2"')


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise PydanticCustomError("instant", "not an instant with its offset, such as 2026-06-01T00:00:00+08:00")
    return value


QuotedDecimal = Annotated[Decimal, BeforeValidator(_quoted_decimal)]
"""0 or more, from an integer or quoted text; never from a float."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An aware datetime, from ISO 8601 text."""

Count = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX)]

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
"""A name within the document: lower-case, starting with a letter."""
