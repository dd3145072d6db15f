"""Mutations: an operation is performed, and its outcome becomes a payload."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import CoroutineType, NoneType
from typing import Any, Final, TypeVar

import strawberry

from core.books import figures
from core.engine.operations import Operation, Outcome
from graph.context import Info
from graph.errors import UserError, user_error
from graph.member import Member
from graph.permissions import may_see
from graph.texts import NUL, check_text
from graph.transaction import Transaction

KEY_MAX: Final = 200
PATIENCE_SECONDS: Final = 10.0


@strawberry.type
class Payload:
    """What every mutation about a member answers with."""

    member: Member | None = strawberry.field(
        default=None,
        description="The member after the mutation; null when there is none, or none that this caller may see.",
    )
    transaction: Transaction | None = strawberry.field(
        default=None, description="What was done; null when it was refused."
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether the request had been performed before, and this is the answer it got then."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why it was refused; empty when it was done. Nothing changed if it was refused.",
    )


_NUL_IN_JSON: Final = b"\\u0000"
_NO_TEXTS: Final = frozenset({NoneType, bool, int, Decimal, date, datetime})

P = TypeVar("P", bound=Payload)
Extra = Callable[[Outcome], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]


async def perform(info: Info, operation: Operation, payload: type[P], extra: Extra | None = None) -> P:
    """Perform an operation and answer with its outcome; ``extra`` gives the payload's further fields if it was done."""
    check_operation(operation)
    outcome = await info.context.laurel.committer.submit(operation, patience=PATIENCE_SECONDS)
    info.context.wrote()
    _know(info, [outcome])
    return await answer(info, outcome, payload, extra)


async def perform_many(
    info: Info, operations: Iterable[Operation], payload: type[P], extra: Extra | None = None
) -> list[P]:
    """Perform operations in order, in as few transactions as can be, and answer for each."""
    operations = list(operations)
    for operation in operations:
        check_operation(operation)
    outcomes = await info.context.laurel.committer.submit_many(operations)
    info.context.wrote()
    done: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            # What was done stays done; sent again, it is replayed.
            raise outcome
        done.append(outcome)
    _know(info, done)
    # Side by side, so that the members are asked for together.
    return await asyncio.gather(*[answer(info, outcome, payload, extra) for outcome in done])


async def answer(info: Info, outcome: Outcome, payload: type[P], extra: Extra | None = None) -> P:
    """The payload of an outcome."""
    member_id = outcome.member_id
    # A partner is told what became of the request, and no more of the member.
    member = None
    if member_id is not None and may_see(info, member_id):
        # As the operation left them, which nobody need ask the database.
        left = outcome.member
        member = await Member.find(info, member_id) if left is None else Member.of(left.at(info.context.now))
    if outcome.refusal is not None:
        return payload(member=member, replayed=outcome.replayed, errors=[user_error(info, outcome.refusal)])
    assert outcome.member_id is not None
    assert outcome.recorded is not None
    further = extra(outcome) if extra else {}
    # Of an abstract class's own it takes long to say that something is one.
    if further.__class__ is CoroutineType or (further.__class__ is not dict and isinstance(further, Awaitable)):
        further = await further
    return payload(
        member=member,
        transaction=Transaction.of(outcome.member_id, outcome.recorded),
        replayed=outcome.replayed,
        **further,
    )


def _know(info: Info, outcomes: Iterable[Outcome]) -> None:
    """What members have, as the last operation of each left them, need not be asked for where accounts say it."""
    now = info.context.now
    known: dict[figures.BalanceKey, figures.Balance | None] = {}
    for outcome in outcomes:
        if outcome.member_id is not None:
            for account in outcome.accounts:
                known[figures.Balances.key(outcome.member_id, account.unit, now)] = figures.Balance.said(account, now)
    info.context.loaders.know(figures.BALANCES, {key: said for key, said in known.items() if said is not None})


def check_operation(operation: Operation) -> None:
    """Raise InvalidValue for text that not every database can keep."""
    check_text("idempotencyKey", operation.idempotency_key, KEY_MAX)
    # There is hardly ever one: in JSON it is seen at a glance, though it may be another that only looks so.
    if _NUL_IN_JSON in operation.request() or NUL in operation.actor or NUL in operation.member[0]:
        _check_texts(operation)


def _check_texts(value: Any) -> None:
    """Look at every text that is part of a value."""
    kind = value.__class__
    if kind in _NO_TEXTS:
        return
    if kind is str or isinstance(value, str):
        if NUL in value:
            check_text("input", value, len(value), shortest=0)
    elif isinstance(value, tuple | list | frozenset | set):
        for inner in value:
            _check_texts(inner)
    elif is_dataclass(value):
        for name in _fields_of(kind):
            _check_texts(getattr(value, name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)


@cache
def _fields_of(kind: Any) -> tuple[str, ...]:
    return tuple(declared.name for declared in fields(kind))
