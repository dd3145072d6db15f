from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidAmount
from core.money import currencies, minor_digits, money, parse_money
from core.units import AMOUNT_MAX


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("0", "CNY", 0),
        ("12.3", "CNY", 1230),
        ("12.30", "CNY", 1230),
        ("12.300", "CNY", 1230),
        ("1.00000000000000000000", "CNY", 100),
        ("-0.01", "CNY", -1),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("90071992547409.91", "USD", AMOUNT_MAX),
    ],
)
def test_money_is_read_as_whole_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == minor
    assert parse_money(Decimal(text), currency) == minor


@pytest.mark.parametrize(
    ("value", "currency", "reason"),
    [
        ("0.001", "GBP", "finer than the minor unit of GBP"),
        ("0.5", "JPY", "finer than the minor unit of JPY"),
        ("1.00000000000000000001", "CNY", "finer than the minor unit of CNY"),
        (Decimal("1." + "0" * 80 + "1"), "CNY", "finer than the minor unit of CNY"),
        ("90071992547409.92", "USD", "too large"),
        ("99999999999999999999", "CNY", "too large"),
        (Decimal("1E+999999"), "CNY", "too large"),
        (Decimal("NaN"), "CNY", "not a finite number"),
        (Decimal("Infinity"), "CNY", "not a finite number"),
        ("1e3", "CNY", "not a plain decimal number"),
        ("1,000", "CNY", "not a plain decimal number"),
        ("", "CNY", "not a plain decimal number"),
        (" 1", "CNY", "not a plain decimal number"),
        ("\uff11", "CNY", "not a plain decimal number"),
        ("nan", "CNY", "not a plain decimal number"),
        ("9" * 5000, "CNY", "not a plain decimal number"),
        (1.5, "CNY", "money is a decimal or its text, never a float"),
        ("1", "CNX", "no such currency"),
        ("1", "cny", "no such currency"),
    ],
)
def test_money_that_cannot_be_meant_is_refused(value: str, currency: str, reason: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        parse_money(value, currency)

    assert refused.value.reason == reason
    assert len(refused.value.value) <= 40 or isinstance(value, Decimal)


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_money_survives_the_way_out_and_back(minor: int, currency: str) -> None:
    assert parse_money(money(minor, currency), currency) == minor


def test_money_is_shown_with_the_places_of_its_currency() -> None:
    assert str(money(1230, "CNY")) == "12.30"
    assert str(money(1230, "JPY")) == "1230"


def test_cents_are_not_lost_where_floats_lose_them() -> None:
    lost = [cents for cents in range(1, 100_000) if int(cents / 100 * 100) != cents]

    assert lost
    assert [parse_money(f"{cents / 100:.2f}", "CNY") for cents in lost] == lost


def test_currencies_are_those_of_the_standard() -> None:
    assert {"CNY", "USD", "GBP", "JPY", "RUB", "HKD", "EUR"} <= currencies()
    assert not {"XXQ", "CNX", "DEM", "cny", ""} & currencies()
    assert (minor_digits("CNY"), minor_digits("JPY")) == (2, 0)
