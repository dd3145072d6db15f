"""What a channel does when it is called: once, twice, refused, reversed, capped, at midnight, for many."""

import copy
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from core.books.members import ByExternalId
from core.channels.corrections import AdjustPoints
from core.engine.committer import Committer
from core.engine.operations import Operation, Outcome
from core.people.membership import EnrolMember
from core.telling.events import Delivery
from graph.context import Context
from graph.schema import build_schema
from graph.testing import NOON
from graph.tokens import Caller, Role

from .readme import Fails, NotTried
from .subject import GIVEN, ZONES, Subject, Trial, preparation

MEMBERS: Final = 100
TURNS: Final = 3
SLOWNESS_MAX: Final = 6.0
"""How many times as long as an adjustment of points, of one lot and no rule, an operation may take."""

# Before and after midnight: of a plain day, of the two on which clocks change in New York, and of a month's end.
_MOMENTS: Final = tuple(
    datetime.fromisoformat(moment)
    for moment in (
        "2026-03-06T12:00", "2026-03-06T23:59", "2026-03-07T00:01", "2026-03-07T23:59", "2026-03-08T00:01",
        "2026-03-08T23:59", "2026-03-09T00:01", "2026-03-31T23:59", "2026-04-01T00:01", "2026-10-31T23:59",
        "2026-11-01T00:01", "2026-11-01T23:59", "2026-11-02T00:01",
    )
)  # fmt: skip


async def example_is_done(subject: Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        payload = await trial.send("1")
        if payload["errors"]:
            raise Fails(
                f"the call of its README is refused: {payload['errors'][0]['message']}; "
                "a module conformance beside it can prepare it"
            )
        await trial.check_books()
        entries = [f"{entry['amount']:+} {entry['unit']}" for entry in payload["transaction"]["entries"]]
        return f"{trial.call.field.name.value}: {', '.join(entries) or 'no points'}"


async def tells_what_it_promises(subject: Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        await trial.done("1")
        told: set[str] = set()
        for (result,) in await trial.shop.laurel.store.reader().query("SELECT result FROM operation WHERE accepted"):
            for event in orjson.loads(result).get("events", ()):
                kind = subject.company.event_types.get(event["name"])
                if kind is None:
                    continue
                payload = {name: value for name, value in event.items() if name != "name"}
                try:
                    kind.message(Delivery("1", "1", kind.name, payload, NOON), member={})
                except ValidationError as error:
                    raise Fails(f"{kind.name} is not told in its shape: {error.errors()[0]['msg']}") from error
                told.add(kind.name)
        return ", ".join(sorted(told)) or "no event of the call has a shape"


async def is_idempotent(subject: Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        first = await trial.done("1")
        before = await trial.tables_at_rest()
        again = await trial.send("1")
        if again != first | {"replayed": True}:
            raise Fails("the same key is answered otherwise the second time")
        if changed := _changed(before, await trial.tables()):
            raise Fails(f"the same key changes {changed} the second time")
    return "the same key twice is one transaction"


async def refusals_leave_nothing(subject: Subject) -> str:
    refused: set[str] = set()
    async with subject.shop(subject.programme(subject.section)) as trial:
        await trial.done("1")
        refused |= await _refused(trial, "2")
        await freeze(trial)
        refused |= await _refused(trial, "3")
    if subject.name in subject.plugins.settings and preparation(subject.module) is None:
        async with subject.shop(subject.programme(None)) as trial:
            unasked = await _refused(trial, "1")
        if not unasked:
            raise Fails("it is done under a programme that has no section of it")
        refused |= unasked
    if not refused:
        raise NotTried("nothing was refused")
    return ", ".join(sorted(refused))


async def _refused(trial: Trial, key: str) -> set[str]:
    """The codes with which the call is refused, if it is; a refusal must have changed nothing."""
    before = await trial.tables_at_rest()
    payload = await trial.send(key)
    codes = {str(error["code"]) for error in payload["errors"]}
    if codes and (changed := _changed(before, await trial.tables())):
        raise Fails(f"{', '.join(codes)} changes {changed}")
    return codes


async def stops_for_the_frozen(subject: Subject) -> str:
    """Who is frozen for earning is given nothing, and who is frozen for spending gives nothing."""
    said = []
    for scope, moves in (("EARNING", "amount > 0"), ("SPENDING", "amount < 0 OR held > 0")):
        async with subject.shop(subject.programme(subject.section)) as trial:
            await freeze(trial, scope)
            before = await _moved(trial, moves)
            refused = await _refused(trial, "1")
            if await _moved(trial, moves) != before:
                raise Fails(f"it moves points of members who are frozen for {scope.lower()}")
            said.append(f"frozen for {scope.lower()}: {', '.join(refused) or 'done, as it moves none of these points'}")
    return "; ".join(said)


async def _moved(trial: Trial, moves: str) -> int:
    ((times,),) = await trial.shop.laurel.store.reader().query(f"SELECT COUNT(*) FROM entry WHERE {moves}")
    return int(times)


async def freeze(trial: Trial, scope: str = "BOTH") -> None:
    """Freeze the members whom the call names, or all if it names none, for earning, for spending or for both."""
    everybody = await trial.shop.laurel.store.reader().query("SELECT external_id FROM member ORDER BY external_id")
    for number, member in enumerate(trial.call.members() or [name for (name,) in everybody]):
        await trial.shop.ask(
            "mutation ($input: FreezeMemberInput!) { freezeMember(input: $input) { errors { code } } }",
            {
                "input": {
                    "member": {"externalId": member},
                    "scope": scope,
                    "reason": "conformance",
                    "idempotencyKey": f"freeze:{number}",
                }
            },
            role=Role.OPERATOR,
        )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return ", ".join(name for name in after if before.get(name) != after[name])


async def is_reversible(subject: Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        before = await trial.balances()
        payload = await trial.done("1")
        if not payload["transaction"]["entries"]:
            raise NotTried("the call of its README moves no points")
        answer = await trial.shop.ask(
            "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { message } } }",
            {
                "input": {
                    "transaction": payload["transaction"]["id"],
                    "reason": "conformance",
                    "idempotencyKey": "reverse",
                }
            },
            role=Role.OPERATOR,
        )
        if errors := answer["reverseTransaction"]["errors"]:
            raise Fails(f"it cannot be reversed: {errors[0]['message']}")
        if (after := await trial.balances()) != before:
            raise Fails(f"balances are {_plain(after)} afterwards, and were {_plain(before)}")
        await trial.check_books()
    return "a reversal restores every balance"


def _plain(balances: Iterable[tuple[Any, ...]]) -> str:
    return ", ".join(f"{amount} {unit}" for _, unit, amount, *_ in balances)


async def keeps_its_caps(subject: Subject) -> str:
    for caps in ({"lifetime": 1}, {"programme": {"lifetime": 1}}):
        await _keeps(subject, caps)
    return "four calls under a cap of 1, of the member or of all, bring 1 at most"


async def _keeps(subject: Subject, caps: dict[str, Any]) -> None:
    section = copy.deepcopy(subject.section)
    capped = list(_rule_sets(section))
    if not capped:
        raise NotTried("its section has no rule set with caps")
    for rules in capped:
        rules["caps"] = copy.deepcopy(caps)  # each its own: YAML would make an alias of one that is shared
    async with subject.shop(subject.programme(section)) as trial:
        payload = await trial.done("1")
        if not any(entry["amount"] > 0 for entry in payload["transaction"]["entries"]):
            raise NotTried("the call of its README earns nothing")
        for number in range(2, 5):
            trial.shop.clock.advance(timedelta(days=1))
            await trial.send(str(number))
        earned = await trial.shop.laurel.store.reader().query(
            "SELECT member_id, unit, SUM(amount) FROM entry WHERE contra = 'issuance' AND amount > 0 "
            "GROUP BY member_id, unit"
        )
        if over := [f"{amount} {unit}" for _, unit, amount in earned if amount > 1]:
            raise Fails(f"{', '.join(over)} came through a cap of 1 for life")


def _rule_sets(section: Any) -> Iterator[dict[str, Any]]:
    """The rule sets in a section, which are what has groups of rules."""
    if isinstance(section, dict):
        if any("rules" in group for group in section.get("groups", ())):
            yield section
        for value in section.values():
            yield from _rule_sets(value)
    elif isinstance(section, list):
        for value in section:
            yield from _rule_sets(value)


async def days_are_local(subject: Subject) -> str:
    """The same times of the wall clock are answered alike in every zone, whatever the channel makes of days."""
    told = [await _lived(subject, zone) for zone in ZONES]
    if await _lived(subject, ZONES[0]) != told[0]:
        # It is left to chance: only what is refused can be compared.
        told = [[(codes, []) for codes, _ in answers] for answers in told]
    for zone, answers in zip(ZONES[1:], told[1:], strict=True):
        for moment, here, there in zip(_MOMENTS, answers, told[0], strict=True):
            if here != there:
                raise Fails(f"{moment:%Y-%m-%d %H:%M} is answered {here} in {zone} and {there} in {ZONES[0]}")
    return f"{len(_MOMENTS)} times around midnight in {', '.join(ZONES)}"


async def _lived(subject: Subject, zone: str) -> list[tuple[list[str], list[str]]]:
    """What the call is answered at each moment: codes of refusals, and entries."""
    moments = [moment.replace(tzinfo=ZoneInfo(zone)) for moment in _MOMENTS]
    answers = []
    async with subject.shop(subject.programme(subject.section, zone), moments[0] - timedelta(hours=1)) as trial:
        for number, moment in enumerate(moments):
            trial.shop.clock.set(moment)
            payload = await trial.send(str(number))
            if not number and payload["errors"]:
                raise NotTried(f"the call of its README is refused: {payload['errors'][0]['message']}")
            entries = payload["transaction"]["entries"] if payload["transaction"] else []
            answers.append(
                (
                    [error["code"] for error in payload["errors"]],
                    [f"{entry['amount']:+} {entry['unit']}" for entry in entries],
                )
            )
    return answers


class _Listener:
    """A committer that remembers what it is given."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.heard: list[Operation] = []

    async def submit(self, operation: Operation, *, patience: float | None = None) -> Outcome:
        self.heard.append(operation)
        return await self._committer.submit(operation, patience=patience)

    async def submit_many(self, operations: Iterable[Operation]) -> list[Outcome | BaseException]:
        given = list(operations)
        self.heard += given
        return await self._committer.submit_many(given)


async def is_quick(subject: Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        operation = await _operation(subject, trial)
        await trial.done("heard")
        committer = trial.shop.laurel.committer
        usual, taken = [], []
        for turn in range(TURNS):
            members = [ByExternalId(f"conformance-{turn}-{number}") for number in range(MEMBERS)]
            enrol = [EnrolMember(member=m, idempotency_key="enrol", actor="conformance") for m in members]
            give = [
                AdjustPoints(member=m, idempotency_key="give", actor="conformance", points=GIVEN, reason="conformance")
                for m in members
            ]
            await _timed(committer, enrol)
            usual.append(await _timed(committer, give))
            taken.append(
                await _timed(committer, [replace(operation, member=m, idempotency_key="conformance") for m in members])
            )
    # The best of each: what else the machine does comes on top.
    ratio = min(taken) / min(usual)
    detail = f"{min(taken):.0f} µs an operation, {ratio:.1f} times an adjustment's {min(usual):.0f} µs"
    if ratio > SLOWNESS_MAX:
        raise Fails(f"{detail}; at most {SLOWNESS_MAX:.0f} times")
    return detail


async def _operation(subject: Subject, trial: Trial) -> Operation:
    """The operation that the call asks for."""
    laurel = trial.shop.laurel
    listener = _Listener(laurel.committer)
    # It offers what resolvers use of a committer.
    context = Context(
        replace(laurel, committer=cast(Committer, listener)), Caller(Role.ADMIN, "conformance"), "conformance"
    )
    await build_schema(subject.company).execute(trial.call.with_key("heard"), context_value=context)
    if not listener.heard:
        raise NotTried("the call of its README asks for no operation of a member")
    return listener.heard[0]


async def _timed(committer: Committer, operations: list[Any]) -> float:
    """Microseconds of the processor for each of these operations, performed together."""
    began = time.process_time()
    outcomes = await committer.submit_many(operations)
    taken = (time.process_time() - began) / len(operations) * 1e6
    refusals = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome.refusal is None:
            return taken
        refusals.append(outcome.refusal)
    raise NotTried(f"for other members it is refused: {refusals[0].message}")
