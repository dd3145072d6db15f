"""The conformance suite: what every channel promises, tried against one that is installed.

The channel is called as its README shows: the first ``yaml`` block is its section of a programme, the first ``graphql``
block the call. A channel whose call needs something first (stock, a code) has a module ``conformance`` with
``async def prepare(shop) -> str | None``, which sees to it and may give another call. Members that the call names are
enrolled, with 100,000 points each; the call's idempotency key, and what it selects, are the suite's own.

It runs on SQLite files that are thrown away, with a clock that stands still. What a check says of a channel is
``Verdict.NOT_TRIED`` where there was nothing to try: no mutation, no caps, a transaction without entries.
"""

import copy
import importlib
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from importlib import resources
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import graphql
import yaml
from graphql import GraphQLSchema

from core.committer import Committer
from core.corrections import AdjustPoints
from core.errors import LaurelError, ProgrammeInvalid
from core.members import ByExternalId
from core.membership import EnrolMember
from core.operations import Operation, Outcome
from core.store.migrating import migrate
from core.verify import verify
from graph.context import Context
from graph.laurel import load_document, tables
from graph.schema import build_schema
from graph.testing import NOON, Shop, open_shop
from graph.tokens import Caller, Role
from plugins import CONTRACT
from plugins.manager import Offer, Plugins, load_plugins

GIVEN: Final = 100_000
MEMBERS: Final = 200
SLOWNESS_MAX: Final = 6.0
"""How many times as long as an adjustment of points, of one lot and no rule, an operation may take."""

_SELECTED: Final = "transaction { id entries { unit amount } } replayed errors { code message }"
_ZONES: Final = ("Asia/Shanghai", "America/New_York", "UTC")
# Before and after midnight: of a plain day, of the two on which clocks change in New York, and of a month's end.
_MOMENTS: Final = tuple(
    datetime.fromisoformat(moment)
    for moment in (
        "2026-03-06T12:00", "2026-03-06T23:59", "2026-03-07T00:01", "2026-03-07T23:59", "2026-03-08T00:01",
        "2026-03-08T23:59", "2026-03-09T00:01", "2026-03-31T23:59", "2026-04-01T00:01", "2026-10-31T23:59",
        "2026-11-01T00:01", "2026-11-01T23:59", "2026-11-02T00:01",
    )
)  # fmt: skip


class Verdict(StrEnum):
    """What became of a check."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Result:
    """A check, what became of it, and what was found."""

    check: str
    verdict: Verdict
    detail: str


class Fails(Exception):
    """The channel does not do what it promises."""


class NotTried(Exception):
    """There is nothing to try it with."""


# -- the example ------------------------------------------------------------------------------------


def readme_section(module: ModuleType) -> str:
    """The first ``yaml`` block of a plugin's README: its section of a programme."""
    return _block(module, "yaml")


def _block(module: ModuleType, language: str) -> str:
    file = resources.files(module) / "README.md"
    if not file.is_file():
        raise Fails("there is no README.md in its package")
    found = re.search(rf"^```{language}\n(.*?)^```", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if found is None:
        raise Fails(f"its README shows no {language} block")
    return found[1]


@dataclass(frozen=True)
class _Call:
    """A mutation as a README shows it, to be sent with keys of ours and for members of ours."""

    document: graphql.DocumentNode

    @classmethod
    def of(cls, text: str) -> "_Call":
        document = graphql.parse(text, no_location=True)
        operation = document.definitions[0]
        if not isinstance(operation, graphql.OperationDefinitionNode) or operation.operation.value != "mutation":
            raise NotTried("its README shows no mutation to call")
        return cls(document)

    @property
    def field(self) -> graphql.FieldNode:
        (operation, *_) = self.document.definitions
        assert isinstance(operation, graphql.OperationDefinitionNode)
        field_ = operation.selection_set.selections[0]
        assert isinstance(field_, graphql.FieldNode)
        return field_

    def members(self) -> list[str]:
        """The external ids that it names."""
        return sorted({node.value.value for node in _object_fields(self.field, "externalId")})

    def with_key(self, key: str) -> str:
        """The call with that idempotency key, asking for what the suite looks at."""
        arguments = ", ".join(
            graphql.print_ast(graphql.visit(node, _Rekeyed(key))) for node in self.field.arguments or ()
        )
        return f"mutation {{ answer: {self.field.name.value}({arguments}) {{ {_SELECTED} }} }}"


class _Rekeyed(graphql.Visitor):
    """Replaces idempotency keys."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def enter_object_field(self, node: graphql.ObjectFieldNode, *_: Any) -> graphql.ObjectFieldNode | None:
        if node.name.value != "idempotencyKey":
            return None
        return graphql.ObjectFieldNode(name=node.name, value=graphql.StringValueNode(value=self._key))


def _object_fields(node: graphql.FieldNode, name: str) -> Iterator[Any]:
    """The fields of that name of the objects that are given to a field, however deep."""
    values: list[Any] = [argument.value for argument in node.arguments or ()]
    while values:
        value = values.pop()
        if isinstance(value, graphql.ObjectValueNode):
            for given in value.fields:
                if given.name.value == name and isinstance(given.value, graphql.StringValueNode):
                    yield given
                values.append(given.value)
        elif isinstance(value, graphql.ListValueNode):
            values += value.values


# -- the channel and its shops ----------------------------------------------------------------------


@dataclass
class _Subject:
    """The channel that is examined."""

    offer: Offer
    others: Sequence[Offer]
    folder: Path
    _shops: Iterator[int] = field(default_factory=count)

    @property
    def name(self) -> str:
        return self.offer.name

    @cached_property
    def module(self) -> ModuleType:
        module = self.offer.load()
        assert isinstance(module, ModuleType)
        return module

    @cached_property
    def plugins(self) -> Plugins:
        """The channel and no other."""
        return load_plugins(offers=[self.offer])

    @cached_property
    def company(self) -> Plugins:
        """The channel, and the others where its section names what they count."""
        try:
            load_document(self.plugins, self.programme(self.section))
        except ProgrammeInvalid:
            return load_plugins(offers=[self.offer, *self.others])
        return self.plugins

    @cached_property
    def schema(self) -> GraphQLSchema:
        return _graphql(self.plugins)

    @cached_property
    def bare(self) -> GraphQLSchema:
        """The schema without any plugin."""
        return _graphql(Plugins())

    @cached_property
    def section(self) -> dict[str, Any]:
        """The channel's section of the programme, as its README shows it."""
        document = yaml.safe_load(readme_section(self.module))
        try:
            section: dict[str, Any] = document["channels"][self.name]
        except (KeyError, TypeError):
            raise Fails(f"the yaml block of its README has no channels: {self.name}:") from None
        return section

    def programme(self, section: Mapping[str, Any] | None, zone: str = _ZONES[0]) -> str:
        """A programme with that section, or without."""
        tiers = ("regular", "silver", "gold", "platinum", "diamond")
        steps = [{"fact": "points_earned", "at_least": 10**9 * number} for number in range(1, len(tiers))]
        document = {
            "id": "conformance",
            "currency": "CNY",
            "timezone": zone,
            "tiers": {
                "ladder": [{"id": tiers[0]}]
                + [{"id": tier, "all": [step]} for tier, step in zip(tiers[1:], steps, strict=True)]
            },
            "channels": {} if section is None else {self.name: section},
        }
        return yaml.safe_dump(document, sort_keys=False)

    @asynccontextmanager
    async def shop(self, programme: str, now: datetime = NOON) -> AsyncIterator["_Trial"]:
        """A shop with that programme, the call of the README, and the members whom it names."""
        empty = self.folder / "empty.sqlite3"
        if not empty.exists():
            await migrate(f"sqlite://{empty}", tables(self.company))
        file = shutil.copy(empty, self.folder / f"{next(self._shops)}.sqlite3")
        async with open_shop(f"sqlite://{file}", programme, plugins=self.company, now=now) as shop:
            prepare = _prepare(self.module)
            prepared = None if prepare is None else await prepare(shop)
            call = _Call.of(prepared or _block(self.module, "graphql"))
            if call.field.name.value not in _new_fields(self, "Mutation"):
                raise NotTried("its README shows no mutation of its own")
            trial = _Trial(shop, call)
            for member in call.members():
                await trial.have_member(member)
            yield trial


def _prepare(module: ModuleType) -> Callable[[Shop], Awaitable[str | None]] | None:
    name = f"{module.__name__}.conformance"
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise
    prepare: Callable[[Shop], Awaitable[str | None]] = found.prepare
    return prepare


def _graphql(plugins: Plugins) -> GraphQLSchema:
    return graphql.build_schema(build_schema(plugins).as_str())


@dataclass
class _Trial:
    """A shop in which the call is tried."""

    shop: Shop
    call: _Call

    async def have_member(self, external_id: str) -> None:
        """A member of that id, with points to spend."""
        found = await self.shop.ask(
            "query ($m: String!) { member(by: {externalId: $m}) { id } }", {"m": external_id}, role=Role.ADMIN
        )
        member = found["member"]["id"] if found["member"] else await self.shop.enrol(external_id)
        await self.shop.give(member, GIVEN, f"conformance:{external_id}")

    async def send(self, key: str) -> dict[str, Any]:
        """The payload that the call is answered with under that key. Raises Fails when it is an error."""
        answer = await self.shop.post(self.call.with_key(key), role=Role.ADMIN)
        if "errors" in answer:
            raise Fails(f"the call of its README is answered with an error: {answer['errors'][0]['message']}")
        payload: dict[str, Any] = answer["data"]["answer"]
        return payload

    async def done(self, key: str) -> dict[str, Any]:
        """The payload of a call that must be done."""
        payload = await self.send(key)
        if payload["errors"]:
            raise NotTried(f"the call of its README is refused: {payload['errors'][0]['message']}")
        return payload

    async def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables, but for the record of what was asked."""
        reader = self.shop.laurel.store.reader()
        names = await reader.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            str(name): sorted((tuple(row) for row in await reader.query(f'SELECT * FROM "{name}"')), key=repr)
            for (name,) in names
            if name != "operation"
        }

    async def balances(self) -> list[tuple[Any, ...]]:
        """What every member has, by unit."""
        reader = self.shop.laurel.store.reader()
        rows = await reader.query(
            "SELECT member_id, unit, credited - debited, held, debt FROM account ORDER BY member_id, unit"
        )
        # A unit that was opened and is empty is as good as none.
        return [tuple(row) for row in rows if any(row[2:])]

    async def check_books(self) -> None:
        """Raise Fails when an invariant of the ledger is broken."""
        for finding in await verify(self.shop.laurel.store.reader()):
            raise Fails(f"the books are wrong afterwards: {finding.invariant.says}")


# -- what it is made of -----------------------------------------------------------------------------


async def _loads_alone(subject: _Subject) -> str:
    plugins = subject.plugins
    build_schema(plugins)
    return f"contract {CONTRACT}, {len(plugins.mutations)} class(es) of mutations"


async def _can_be_left_out(subject: _Subject) -> str:
    without = load_plugins(offers=subject.others)
    load_document(without, subject.programme(None))
    build_schema(without)
    build_schema(load_plugins(offers=[subject.offer, *subject.others]))
    return f"{len(subject.others)} other plugins start without it, and with it"


async def _is_described(subject: _Subject) -> str:
    missing = [label for label, description in _described(subject) if not (description or "").strip()]
    if missing:
        raise Fails(f"without a description: {', '.join(missing[:10])}")
    return f"{len(list(_described(subject)))} descriptions"


def _described(subject: _Subject) -> Iterator[tuple[str, str | None]]:
    """All that the channel adds to the schema, with what is said of it."""
    before = subject.bare.type_map
    for name, kind in subject.schema.type_map.items():
        new = name not in before
        if new:
            yield name, kind.description
        if isinstance(kind, graphql.GraphQLEnumType):
            known = set() if new else set(cast(graphql.GraphQLEnumType, before[name]).values)
            yield from ((f"{name}.{v}", kind.values[v].description) for v in kind.values if v not in known)
        if isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType | graphql.GraphQLInputObjectType):
            known = set() if new else set(cast(graphql.GraphQLObjectType, before[name]).fields)
            for label, of in kind.fields.items():
                if label in known:
                    continue
                yield f"{name}.{label}", of.description
                arguments = of.args if isinstance(of, graphql.GraphQLField) else {}
                yield from ((f"{name}.{label}({a}:)", arguments[a].description) for a in arguments)


async def _has_no_json(subject: _Subject) -> str:
    scalars = {n for n, kind in subject.schema.type_map.items() if isinstance(kind, graphql.GraphQLScalarType)}
    if json := sorted(name for name in scalars - set(subject.bare.type_map) if "json" in name.lower()):
        raise Fails(f"scalars that say nothing of what is in them: {', '.join(json)}")
    return "every value has a type"


async def _mutations_have_one_shape(subject: _Subject) -> str:
    mutations = _new_fields(subject, "Mutation")
    if not mutations:
        raise NotTried("it has no mutations")
    for name, of in mutations.items():
        if set(of.args) != {"input"} or not isinstance(of.args["input"].type, graphql.GraphQLNonNull):
            raise Fails(f"{name} takes ({', '.join(of.args)}) and not one input")
        given, payload = graphql.get_named_type(of.args["input"].type), graphql.get_named_type(of.type)
        if not _has(given, "idempotencyKey", "String!"):
            raise Fails(f"{given.name} has no idempotencyKey: String!")
        if not _has(payload, "errors", "[UserError!]!"):
            raise Fails(f"{payload.name} has no errors: [UserError!]!")
    return ", ".join(mutations)


def _has(kind: Any, name: str, of: str) -> bool:
    """Whether a type has the field, or what it lists has, as for a mutation of many at once."""
    if name in kind.fields:
        return str(kind.fields[name].type) == of
    listed = [
        f.type.of_type
        for f in kind.fields.values()
        if isinstance(graphql.get_nullable_type(f.type), graphql.GraphQLList)
    ]
    return any(hasattr(inner := graphql.get_named_type(found), "fields") and name in inner.fields for found in listed)


def _new_fields(subject: _Subject, name: str) -> dict[str, graphql.GraphQLField]:
    before = cast(graphql.GraphQLObjectType, subject.bare.type_map[name]).fields
    after = cast(graphql.GraphQLObjectType, subject.schema.type_map[name]).fields
    return {label: of for label, of in after.items() if label not in before}


async def _settings_are_checked(subject: _Subject) -> str:
    if subject.name not in subject.plugins.settings:
        raise NotTried("it has no settings")
    load_document(subject.company, subject.programme(subject.section))
    try:
        load_document(subject.company, subject.programme({**subject.section, "no_such_key": 1}))
    except ProgrammeInvalid as invalid:
        return f"an unknown key is refused: {invalid.problems[0].message}"
    raise Fails("a key that it does not know is accepted in its section")


# -- what it does -----------------------------------------------------------------------------------


async def _example_is_done(subject: _Subject) -> str:
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


async def _is_idempotent(subject: _Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        first = await trial.done("1")
        before = await trial.tables()
        again = await trial.send("1")
        if again != first | {"replayed": True}:
            raise Fails("the same key is answered otherwise the second time")
        if changed := _changed(before, await trial.tables()):
            raise Fails(f"the same key changes {changed} the second time")
    return "the same key twice is one transaction"


async def _refusals_leave_nothing(subject: _Subject) -> str:
    refused: set[str] = set()
    async with subject.shop(subject.programme(subject.section)) as trial:
        await trial.done("1")
        refused |= await _refused(trial, "2")
        await _freeze(trial)
        refused |= await _refused(trial, "3")
    if subject.name in subject.plugins.settings and _prepare(subject.module) is None:
        async with subject.shop(subject.programme(None)) as trial:
            unasked = await _refused(trial, "1")
        if not unasked:
            raise Fails("it is done under a programme that has no section of it")
        refused |= unasked
    if not refused:
        raise NotTried("nothing was refused")
    return ", ".join(sorted(refused))


async def _refused(trial: _Trial, key: str) -> set[str]:
    """The codes with which the call is refused, if it is; a refusal must have changed nothing."""
    before = await trial.tables()
    payload = await trial.send(key)
    codes = {str(error["code"]) for error in payload["errors"]}
    if codes and (changed := _changed(before, await trial.tables())):
        raise Fails(f"{', '.join(codes)} changes {changed}")
    return codes


async def _freeze(trial: _Trial) -> None:
    """Freeze the members whom the call names."""
    for number, member in enumerate(trial.call.members()):
        await trial.shop.ask(
            "mutation ($input: ChangeMemberStatusInput!) { changeMemberStatus(input: $input) { errors { code } } }",
            {
                "input": {
                    "member": {"externalId": member},
                    "status": "FROZEN",
                    "reason": "conformance",
                    "idempotencyKey": f"freeze:{number}",
                }
            },
            role=Role.OPERATOR,
        )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return ", ".join(name for name in after if before.get(name) != after[name])


async def _is_reversible(subject: _Subject) -> str:
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


async def _keeps_its_caps(subject: _Subject) -> str:
    section = copy.deepcopy(subject.section)
    capped = list(_rule_sets(section))
    if not capped:
        raise NotTried("its section has no rule set with caps")
    for rules in capped:
        rules["caps"] = {"lifetime": 1}
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
    return "four calls under a cap of 1 bring 1 at most"


def _rule_sets(section: Any) -> Iterator[dict[str, Any]]:
    """The rule sets in a section, which are what has groups."""
    if isinstance(section, dict):
        if "groups" in section:
            yield section
        for value in section.values():
            yield from _rule_sets(value)
    elif isinstance(section, list):
        for value in section:
            yield from _rule_sets(value)


async def _days_are_local(subject: _Subject) -> str:
    """The same times of the wall clock are answered alike in every zone, whatever the channel makes of days."""
    told = [await _lived(subject, zone) for zone in _ZONES]
    if await _lived(subject, _ZONES[0]) != told[0]:
        # It is left to chance: only what is refused can be compared.
        told = [[(codes, []) for codes, _ in answers] for answers in told]
    for zone, answers in zip(_ZONES[1:], told[1:], strict=True):
        for moment, here, there in zip(_MOMENTS, answers, told[0], strict=True):
            if here != there:
                raise Fails(f"{moment:%Y-%m-%d %H:%M} is answered {here} in {zone} and {there} in {_ZONES[0]}")
    return f"{len(_MOMENTS)} times around midnight in {', '.join(_ZONES)}"


async def _lived(subject: _Subject, zone: str) -> list[tuple[list[str], list[str]]]:
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


async def _is_quick(subject: _Subject) -> str:
    async with subject.shop(subject.programme(subject.section)) as trial:
        operation = await _operation(subject, trial)
        await trial.done("heard")
        committer = trial.shop.laurel.committer
        members = [ByExternalId(f"conformance-{number}") for number in range(MEMBERS)]
        await _timed(committer, [EnrolMember(member=m, idempotency_key="enrol", actor="conformance") for m in members])
        yardstick = [
            AdjustPoints(member=m, idempotency_key="give", actor="conformance", points=GIVEN, reason="conformance")
            for m in members
        ]
        usual = await _timed(committer, yardstick)
        taken = await _timed(committer, [replace(operation, member=m, idempotency_key="conformance") for m in members])
    detail = f"{taken:.0f} µs an operation, {taken / usual:.1f} times an adjustment's {usual:.0f} µs"
    if taken > SLOWNESS_MAX * usual:
        raise Fails(f"{detail}; at most {SLOWNESS_MAX:.0f} times")
    return detail


async def _operation(subject: _Subject, trial: _Trial) -> Operation:
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


# -- the suite --------------------------------------------------------------------------------------

_CHECKS: Final[Mapping[str, Callable[[_Subject], Awaitable[str]]]] = {
    "loads alone": _loads_alone,
    "can be left out": _can_be_left_out,
    "everything is described": _is_described,
    "no JSON in the schema": _has_no_json,
    "one input with a key, one payload with errors": _mutations_have_one_shape,
    "settings are validated": _settings_are_checked,
    "the README's call is done": _example_is_done,
    "idempotent": _is_idempotent,
    "a refusal leaves nothing": _refusals_leave_nothing,
    "a reversal is symmetric": _is_reversible,
    "bounded by its caps": _keeps_its_caps,
    "days are the programme's": _days_are_local,
    "fast under the lock": _is_quick,
}


async def examine(offer: Offer, others: Sequence[Offer], folder: Path) -> list[Result]:
    """Everything that the suite finds about a plugin; ``others`` are those it must live with and can be left out of.

    Databases are made in ``folder``. Whatever a stranger's code raises is a finding.
    """
    subject = _Subject(offer, others, folder)
    results: list[Result] = []
    for name, check in _CHECKS.items():
        if results and results[0].verdict is Verdict.FAILS:
            results.append(Result(name, Verdict.NOT_TRIED, "it does not load"))
            continue
        try:
            results.append(Result(name, Verdict.HOLDS, await check(subject)))
        except NotTried as reason:
            results.append(Result(name, Verdict.NOT_TRIED, str(reason)))
        except (Fails, LaurelError) as reason:
            results.append(Result(name, Verdict.FAILS, str(reason)))
        except Exception as error:
            results.append(Result(name, Verdict.FAILS, f"{type(error).__name__}: {error}"))
    return results
