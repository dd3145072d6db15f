from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from core.books.accounts import Account, Contra, Entry, chain
from core.errors import BalanceLimitExceeded
from core.units import AMOUNT_MAX, POINTS

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)
ENTRY = Entry(
    unit=POINTS,
    seq=7,
    operation_id="operation",
    amount=-30,
    held=0,
    contra=Contra.REDEMPTION,
    balance=70,
    effective_at=NOON,
    recorded_at=NOON,
    digest="",
)


def test_credit_and_debit_only_grow_and_number_the_entries() -> None:
    account = Account(POINTS).post(100, 0).post(-30, 0).post(0, 20).post(-5, -20)

    assert account == Account(POINTS, credited=100, debited=35, held=0, seq=4)
    assert account.balance == 65


@pytest.mark.parametrize("sign", [1, -1])
def test_a_balance_stays_within_what_clients_can_represent(sign: int) -> None:
    full = Account(POINTS).post(sign * AMOUNT_MAX, 0)

    assert full.balance == sign * AMOUNT_MAX
    assert full.post(-sign, 0).balance == sign * (AMOUNT_MAX - 1)
    with pytest.raises(BalanceLimitExceeded) as refused:
        full.post(sign, 0)
    assert refused.value.facts == {"unit": POINTS, "balance_max": AMOUNT_MAX}


def test_a_mistake_that_was_taken_back_does_not_use_the_account_up() -> None:
    account = Account(POINTS).post(AMOUNT_MAX, 0).post(-AMOUNT_MAX, 0).post(20, 0)

    assert account.balance == 20


def test_neither_side_of_an_account_leaves_what_the_database_can_hold() -> None:
    with pytest.raises(BalanceLimitExceeded):
        Account(POINTS, credited=2**63 - 1, debited=2**63 - 1).post(1, 0)


@pytest.mark.parametrize(
    ("known", "added", "due"),
    [
        (None, [], None),
        (None, [None], None),
        (None, [NOON, None], NOON),
        (NOON, [None], NOON),
        (NOON, [NOON - timedelta(1), NOON + timedelta(1)], NOON - timedelta(1)),
        (NOON, [NOON + timedelta(1)], NOON),
    ],
)
def test_account_remembers_the_first_instant_at_which_something_changes(
    known: datetime | None, added: list[datetime | None], due: datetime | None
) -> None:
    assert Account(POINTS, next_due=known).due(*added).next_due == due


def test_digest_of_an_entry_is_the_same_for_ever() -> None:
    """Digests are stored and checked years later: what goes into one may never change."""
    assert chain("", "member", ENTRY) == "d80a5f1e0958b8a18b877588746865f8e311833f126b5afed03505d9b0c1088c"


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "growth"},
        {"seq": 8},
        {"operation_id": "another"},
        {"amount": -31},
        {"held": 1},
        {"contra": Contra.ADJUSTMENT},
        {"balance": 71},
        {"effective_at": NOON - timedelta(microseconds=1)},
        {"recorded_at": NOON + timedelta(microseconds=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_in_an_entry_changes_its_digest(change: dict[str, Any]) -> None:
    assert chain("before", "member", ENTRY._replace(**change)) != chain("before", "member", ENTRY)


def test_digest_depends_on_the_member_and_the_entry_before() -> None:
    digests = {chain(before, member, ENTRY) for before in ("", "a") for member in ("b", "c")}

    assert len(digests) == 4


def test_digest_says_the_same_instant_in_any_zone() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    abroad = ENTRY._replace(effective_at=there, recorded_at=there)

    assert chain("", "member", abroad) == chain("", "member", ENTRY)
