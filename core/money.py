"""Money as the ledger counts it: whole minor units of one currency, exact both ways.

A price arrives as decimal text and becomes an integer here, or is refused; nothing is ever rounded on
the way in. In floats ``int(amount * 100)`` is wrong for one amount in sixteen.
"""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from core.errors import InvalidAmount
from core.units import AMOUNT_MAX

_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
# Wide enough for any amount that is not refused; a result that does not fit is an error, never rounded.
_EXACT = Context(prec=64, traps=[Inexact, InvalidOperation])


@cache
def currencies() -> frozenset[str]:
    """The codes of ISO 4217 that are legal tender somewhere today."""
    territories = get_global("territory_currencies").values()
    return frozenset(code for uses in territories for code, _, until, tender in uses if tender and until is None)


@cache
def minor_digits(currency: str) -> int:
    """How many decimals the currency has: 2 for CNY, 0 for JPY.

    Raises InvalidAmount when there is no such currency.
    """
    if currency not in currencies():
        raise InvalidAmount(value=currency, reason="no such currency")
    return get_currency_precision(currency)


@cache
def _factor(currency: str) -> Decimal:
    return Decimal(10) ** minor_digits(currency)


@cache
def money_step(currency: str) -> Decimal:
    """The smallest amount of the currency: 0.01 for CNY, 1 for JPY."""
    return Decimal(1).scaleb(-minor_digits(currency))


def parse_money(value: Decimal | str, currency: str) -> int:
    """The amount in minor units.

    >>> parse_money("12.30", "CNY")
    1230

    Raises InvalidAmount for what is not a plain decimal, is finer than the currency's minor unit, or
    is too large to count.
    """
    factor = _factor(currency)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) is None:
            raise InvalidAmount(value=value[:40], reason="not a plain decimal number")
        amount = Decimal(value)
    elif isinstance(value, Decimal):
        amount = value
        if not amount.is_finite():
            raise InvalidAmount(value=str(value), reason="not a finite number")
    else:
        raise InvalidAmount(value=str(value)[:40], reason="money is a decimal or its text, never a float")
    if amount.adjusted() > 16:
        raise InvalidAmount(value=str(value)[:40], reason="too large")
    try:
        scaled = _EXACT.multiply(amount, factor)
    except Inexact:
        raise InvalidAmount(value=str(value)[:40], reason=f"finer than the minor unit of {currency}") from None
    minor = int(scaled)
    if minor != scaled:
        raise InvalidAmount(value=str(value)[:40], reason=f"finer than the minor unit of {currency}")
    if not -AMOUNT_MAX <= minor <= AMOUNT_MAX:
        raise InvalidAmount(value=str(value)[:40], reason="too large")
    return minor


def money(minor: int, currency: str) -> Decimal:
    """The amount as a decimal with the currency's places.

    >>> money(1230, "CNY")
    Decimal('12.30')
    """
    return minor * money_step(currency)
