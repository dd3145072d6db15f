"""Random documents, each executed by a plan and by graphql-core, which must answer the same bytes.

By hand, as many as wanted, from a seed on, in as many processes as wanted::

    python -m tests.graph.plans.differing --seed 0 --documents 1000000 --processes 2

With ``--mutations`` they are mutations, each performed once for both.

It goes on where it was stopped by saying the first seed that is not done yet.
"""

import asyncio
import gc
import logging
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import orjson
from graphql import parse
from graphql.execution.values import get_variable_values

from graph.laurel import Laurel
from graph.schema import LaurelSchema, build_schema
from graph.settings import Settings
from graph.testing import SECRET  # noqa: TID251  used by tests only
from graph.tokens import Caller
from graph.transport.documents import Document
from graph.transport.execution import Engine, Prepared, failed_answer
from graph.transport.failures import RequestFailed
from tests.graph.plans.documents import Made, make, make_mutation
from tests.graph.plans.faults import Faults
from tests.graph.plans.once import Once
from tests.graph.plans.random_shop import Filled, fill
from tests.graph.plans.watched import Watched
from tests.graph.test_schemathesis import LIFTED, PLUGINS

WHOLE: Final = 25
"""Of so many documents one is validated, and asked for as often as a client does who has it answered by a plan."""
FAULTY: Final = 0.4
"""Of how many documents a field goes wrong."""
REQUEST: Final = "the request"


class Differing:
    """Asks both ways, and keeps what differs."""

    def __init__(
        self, schema: LaurelSchema, faults: Faults, laurel: Laurel, filled: Filled, once: Once | None = None
    ) -> None:
        settings = Settings.from_environment({**LIFTED, "LAUREL_SECRET": SECRET, "LAUREL_LIVE": "no"})
        self.plain, self.planned = Engine(schema, settings), Engine(schema, settings)
        self.plain.planner = None
        self.planned.planner = self.planner = Watched(schema.core)
        for engine in (self.plain, self.planned):
            engine.laurel = laurel
        self._schema = schema.core
        self._faults = faults
        self._callers = filled.callers
        self._values = filled.values()
        self.once = once
        roots = self._schema.query_type if once is None else self._schema.mutation_type
        assert roots is not None
        self._roots = list(roots.fields)
        self.counted: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.coordinates: Counter[str] = Counter()
        self.in_vain: Counter[str] = Counter()
        """What plans were surprised by that is no error."""
        self.wrong: list[str] = []

    async def ask_all(self, seeds: Iterable[int], *, until_wrong: bool = False) -> None:
        for seed in seeds:
            await self.ask(seed)
            if until_wrong and self.wrong:
                return

    async def ask(self, seed: int) -> None:
        """One document."""
        random, root = Random(seed), self._roots[seed % len(self._roots)]
        if self.once is not None:
            made = make_mutation(self._schema, random, self._values, root)
        else:
            made = make(self._schema, random, self._values, root if random.random() < 0.9 else None)
        caller = random.choice(self._callers)
        self._faults.fault = None
        if made.coordinates and random.random() < FAULTY:
            self._faults.choose(random, made.coordinates)
            if self.once is not None and self._faults.fault is not None and self._faults.fault.kind == "generator":
                self._faults.fault = None  # both ways have the same one, and one of them has nothing left of it
        self.coordinates.update(made.coordinates)
        self.counted["documents"] += 1
        try:
            document = self._document(made.text, whole=seed % WHOLE == 0)
        except RequestFailed as failed:
            self.wrong.append(f"{seed}: {failed}\n{made}")
            return
        prepared = self._prepared(document, made, caller)
        if prepared is None:
            self.counted["not executed"] += 1
            return
        expected = await self._expected(prepared, caller)
        if seed % WHOLE == 0:
            self._compare(seed, made, expected, await _answer(self.planned, prepared, caller))
        else:
            # As if it had been.
            document.plans.find(self._schema, prepared.operation, prepared.variables)
        answer = await _answer(self.planned, prepared, caller)
        self._compare(seed, made, expected, answer)
        self._count(answer)
        if made.otherwise is not None and (prepared := self._prepared(document, made.otherwise, caller)) is not None:
            # With other flags, which are another plan, and other values of the same variables.
            self.counted["asked again with other variables"] += 1
            expected = await self._expected(prepared, caller)
            self._compare(seed, made.otherwise, expected, await _answer(self.planned, prepared, caller))

    async def _expected(self, prepared: Prepared, caller: Caller | None) -> bytes:
        """What graphql-core answers; what a mutation has done is given again from then on."""
        if self.once is None:
            return await _answer(self.plain, prepared, caller)
        self.once.again = False
        try:
            return await _answer(self.plain, prepared, caller)
        finally:
            self.once.again = True

    def _count(self, answer: bytes) -> None:
        with_errors = answer.startswith(b'{"errors"')
        self.counted["with errors" if with_errors else "without errors"] += 1
        if with_errors:
            self.codes.update({error["extensions"]["code"] for error in orjson.loads(answer)["errors"]})
        if not with_errors and self.planner.surprise:
            self.in_vain[self.planner.surprise] += 1

    def _document(self, text: str, *, whole: bool) -> Document:
        """What the engine reads, without looking whether a document is valid that was made so."""
        if whole:
            return self.plain.documents.check(text)
        document = Document(text, parse(text))
        document.priced = self.plain.limits.price(document.operations, document.fragments)
        return document

    def _prepared(self, document: Document, made: Made, caller: Caller | None) -> Prepared | None:
        """What the engine prepares; None where the variables are refused."""
        operation = document.operation(made.operation_name)
        priced = document.priced[operation.name.value if operation.name else ""]
        try:
            charge = self.plain.limits.check(priced.cost, made.variables, caller)
        except RequestFailed:
            return None  # as null for a list that says how long it is
        variables = get_variable_values(self._schema, operation.variable_definitions or (), made.variables)
        if isinstance(variables, list):
            return None
        return Prepared(document, operation, variables, charge, priced.weigher, True)

    def _compare(self, seed: int, made: Made, expected: bytes, answer: bytes) -> None:
        if answer == expected:
            return
        if _in_order(answer) == _in_order(expected):
            self.counted["errors in another order"] += 1
            return
        if alike(answer, expected):
            self.counted["more errors below a null"] += 1
            return
        self.wrong.append(f"{seed}: {made.text}\n{made.variables}\n{self._faults.fault}\n{expected!r}\n{answer!r}")


def alike(answer: bytes, expected: bytes) -> bool:
    """Whether they differ only in how many errors they tell of below the same null.

    graphql-core tells of the first, whose null it is, and of those that have ended by the time it answers: which these
    are depends on how long each waits for the database. After a surprise nothing is waited for.
    """
    one, other = orjson.loads(answer), orjson.loads(expected)
    errors, others = (_by_null(read.pop("errors", []), read.get("data")) for read in (one, other))
    return bool(
        orjson.dumps(one) == orjson.dumps(other)  # with the fields in their order
        and errors.keys() == others.keys()
        and all(
            told == errors[null] or (len(null) < min(map(len, map(_path, told | errors[null]))) and told & errors[null])
            for null, told in others.items()
        )
    )


def _by_null(errors: Sequence[Any], data: Any) -> dict[tuple[str | int, ...], set[bytes]]:
    """The errors by where the null stands to which each led."""
    found = defaultdict[tuple[str | int, ...], set[bytes]](set)
    for error in errors:
        null, value = list[str | int](), data
        for step in error.get("path", ()):
            if value is None:
                break
            null.append(step)
            value = value[step]
        found[tuple(null)].add(orjson.dumps(error))
    return found


def _path(error: bytes) -> Sequence[str | int]:
    path: Sequence[str | int] = orjson.loads(error)["path"]
    return path


def _in_order(answer: bytes) -> bytes:
    """The answer with its errors in the order of their paths; graphql-core tells of that first which ends first.

    After a surprise nothing is waited for, as loaders know it, so that it may be another one.
    """
    read = orjson.loads(answer)
    if "errors" in read:
        read["errors"].sort(key=orjson.dumps)
    return orjson.dumps(read)


async def _answer(engine: Engine, prepared: Prepared, caller: Caller | None) -> bytes:
    try:
        return (await engine.execute(prepared, engine.context(caller, REQUEST))).encoded()
    except RequestFailed as failed:
        return failed_answer(failed, REQUEST).encoded()


@cache
def faulty_schema() -> tuple[LaurelSchema, Faults]:
    """A schema with every channel, of which fields can be made to go wrong; built once in a process."""
    schema = build_schema(PLUGINS)
    return schema, Faults(schema.core)


@contextmanager
def quiet() -> Iterator[None]:
    """Without logs: what goes wrong here does so on purpose."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def differ(filled: Filled, seeds: Iterable[int], *, until_wrong: bool = False) -> Differing:
    """Ask the documents of these seeds of a shop; up to the first that is answered in two ways, if that is enough."""
    with quiet():
        async with filled.open() as shop:
            differing = Differing(*faulty_schema(), shop.laurel, filled)
            await differing.ask_all(seeds, until_wrong=until_wrong)
            return differing


async def differ_in_mutations(filled: Filled, seeds: Iterable[int]) -> Differing:
    """Ask the mutations of these seeds of a copy of the shop, as it is another one after that."""
    schema, faults = faulty_schema()
    once = Once()
    with TemporaryDirectory() as folder, quiet(), once.installed(schema.core):
        async with filled.copied(Path(folder)).open() as shop:
            differing = Differing(schema, faults, shop.laurel, filled, once)
            await differing.ask_all(seeds)
            return differing


# -- by hand ----------------------------------------------------------------------------------------------

AT_ONCE: Final = 5_000


def _chunk(
    ask: Callable[[Filled, range], Coroutine[Any, Any, Differing]], filled: Filled, seeds: range
) -> tuple[range, Counter[str], Counter[str], list[str]]:
    gc.freeze()
    differing = asyncio.run(ask(filled, seeds))
    return seeds, differing.counted, differing.planner.ways, differing.wrong


@click.command()
@click.option("--seed", default=0, show_default=True, help="The first.")
@click.option("--documents", default=20_000, show_default=True, help="How many, each of a seed of its own.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="How many at the same time.")
@click.option("--shop", default=1, show_default=True, help="The seed of the shop.")
@click.option("--mutations", is_flag=True, help="Mutations instead of queries.")
def main(seed: int, documents: int, processes: int, shop: int, *, mutations: bool) -> None:
    """Execute random documents by plans and by graphql-core. Ends with 1 when they differ."""
    chunks = [range(at, min(at + AT_ONCE, seed + documents)) for at in range(seed, seed + documents, AT_ONCE)]
    wrong = 0
    counted: Counter[str] = Counter()
    with TemporaryDirectory() as folder, ProcessPoolExecutor(processes) as pool:
        with quiet():
            filled = asyncio.run(fill(Path(folder), shop))
        chunk = partial(_chunk, differ_in_mutations if mutations else differ, filled)
        for seeds, of_chunk, ways, differ_here in pool.map(chunk, chunks):
            counted += of_chunk
            wrong += len(differ_here)
            for one in differ_here:
                click.echo(one)
            click.echo(f"{seeds.start} to {seeds.stop - 1}: {dict(of_chunk)}, {dict(ways)}, {len(differ_here)} differ")
    click.echo(f"seeds {seed} to {seed + documents - 1}: {dict(counted)}, {wrong} differ")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
