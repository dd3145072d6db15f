"""What a worker's memory comes to after ten thousand distinct documents, each asked for often enough to have a plan.

::

    python -m tests.graph.plans.growing --documents 10000 --kind many
"""

import asyncio
import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import psutil

from graph.laurel import Laurel
from graph.schema import build_schema
from graph.settings import Settings
from graph.testing import SECRET, open_shop  # noqa: TID251  used by tests only
from graph.tokens import Caller, Role
from graph.transport.execution import Engine
from graph.transport.requests import Asked
from plugins.manager import Plugins

FLAGS: Final = 12


def _named(number: int) -> tuple[str, dict[str, Any]]:
    return f"query Q{number} {{ viewer {{ role subject }} }}", {}


def _spaced(number: int) -> tuple[str, dict[str, Any]]:
    spaces = f"{number:014b}".replace("0", " ").replace("1", "\n")
    return f"{{ viewer {{{spaces}role }} }}", {}


def _aliased(number: int) -> tuple[str, dict[str, Any]]:
    return f"{{ a{number}: viewer {{ b{number}: role }} }}", {}


def _many(number: int) -> tuple[str, dict[str, Any]]:
    fields = " ".join(f"a{number}_{at}: role" for at in range(29))  # as many as may be
    return f"{{ viewer {{ {fields} }} }}", {}


def _flagged(number: int) -> tuple[str, dict[str, Any]]:
    """One of a few documents of which there are 4,096 plans each."""
    flags = {f"f{at}": bool(number >> at & 1) for at in range(FLAGS)}
    declared = ", ".join(f"${name}: Boolean!" for name in flags)
    fields = " ".join(f"{name}: role @include(if: ${name})" for name in flags)
    return f"query Q{number >> FLAGS}({declared}) {{ viewer {{ subject {fields} }} }}", flags


KINDS: Final[Mapping[str, Callable[[int], tuple[str, dict[str, Any]]]]] = {
    "names": _named,
    "white space": _spaced,
    "aliases": _aliased,
    "many": _many,
    "flags": _flagged,
}


def worker(laurel: Laurel) -> Engine:
    """What a process answers by, with no other client."""
    engine = Engine(build_schema(Plugins()), Settings.from_environment({"LAUREL_SECRET": SECRET, "LAUREL_LIVE": "no"}))
    engine.laurel = laurel
    return engine


async def ask(engine: Engine, text: str, variables: dict[str, Any] | None = None) -> bytes:
    """One answer, to an admin."""
    caller = Caller(Role.ADMIN, "an admin")
    prepared = engine.prepare(Asked(text, variables, None, {}), caller)
    return (await engine.execute(prepared, engine.context(caller, "the request"))).encoded()


async def grown(kind: str, documents: int) -> tuple[int, int]:
    """By how many bytes a process has grown after a tenth of the documents, and after all of them."""
    process = psutil.Process()
    with TemporaryDirectory() as folder:
        async with open_shop(Path(folder), None, plugins=Plugins()) as shop:
            engine = worker(shop.laurel)
            await ask(engine, "{ viewer { role } }")
            gc.collect()
            before, early = process.memory_info().rss, 0
            for number in range(documents):
                text, variables = KINDS[kind](number)
                for _ in range(3):  # known, compiled, run
                    await ask(engine, text, variables)
                if number == documents // 10:
                    gc.collect()
                    early = process.memory_info().rss
            gc.collect()
            return early - before, process.memory_info().rss - before


@click.command()
@click.option("--documents", default=10_000, show_default=True)
@click.option("--kind", type=click.Choice([*KINDS]), multiple=True, default=[*KINDS], show_default=True)
def main(documents: int, kind: tuple[str, ...]) -> None:
    """Tell how much a worker grows by documents that differ in something."""
    for each in kind:
        early, late = asyncio.run(grown(each, documents))
        click.echo(f"{each}: {early / 2**20:.0f} MB after {documents // 10}, {late / 2**20:.0f} MB after {documents}")


if __name__ == "__main__":
    main()
