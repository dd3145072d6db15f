"""Mutations: an operation is performed, and its outcome becomes a payload."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

import strawberry

from core.engine.operations import Operation, Outcome
from graph.context import Info
from graph.errors import UserError, user_error
from graph.member import Member
from graph.permissions import may_see
from graph.texts import check_text
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


P = TypeVar("P", bound=Payload)
Extra = Callable[[Outcome], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]


async def perform(info: Info, operation: Operation, payload: type[P], extra: Extra | None = None) -> P:
    """Perform an operation and answer with its outcome; ``extra`` gives the payload's further fields if it was done."""
    check_operation(operation)
    outcome = await info.context.laurel.committer.submit(operation, patience=PATIENCE_SECONDS)
    info.context.wrote()
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
    answers = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            # What was done stays done; sent again, it is replayed.
            raise outcome
        answers.append(answer(info, outcome, payload, extra))
    # Side by side, so that the members are asked for together.
    return await asyncio.gather(*answers)


async def answer(info: Info, outcome: Outcome, payload: type[P], extra: Extra | None = None) -> P:
    """The payload of an outcome."""
    member_id = outcome.member_id
    # A partner is told what became of the request, and no more of the member.
    member = await Member.find(info, member_id) if member_id is not None and may_see(info, member_id) else None
    if outcome.refusal is not None:
        return payload(member=member, replayed=outcome.replayed, errors=[user_error(info, outcome.refusal)])
    assert outcome.member_id is not None
    assert outcome.recorded is not None
    further = extra(outcome) if extra else {}
    if isinstance(further, Awaitable):
        further = await further
    return payload(
        member=member,
        transaction=Transaction.of(outcome.member_id, outcome.recorded),
        replayed=outcome.replayed,
        **further,
    )


def check_operation(operation: Operation) -> None:
    """Raise InvalidValue for text that not every database can keep."""
    check_text("idempotencyKey", operation.idempotency_key, KEY_MAX)
    for text in _texts(operation):
        check_text("input", text, len(text), shortest=0)


def _texts(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for name, inner in value.items():
                yield from _texts(name)
                yield from _texts(inner)
        case Sequence() | frozenset():
            for inner in value:
                yield from _texts(inner)
        case _ if is_dataclass(value):
            for declared in fields(value):
                yield from _texts(getattr(value, declared.name))
        case _:
            pass
