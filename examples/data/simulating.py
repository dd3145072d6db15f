"""Changes of a programme simulated over a year of a real shop, and each made for real on a copy: the same figures.

    python -m examples.data.simulating          # all members: some minutes
    python -m examples.data.simulating --part   # every twentieth customer

Exit status 1 says that a figure, or what any member has, is another.
"""

import argparse
import asyncio
import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from core.files.importing import Reject, examine, import_batch, import_rows, read
from core.rulebook.publishing import publish
from core.scheduling.reviewing import reviews_due
from core.scheduling.sweep import settle, sweep
from core.simulating import figures
from core.store.migrating import migrate
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from graph.simulating.process import Finished, replay
from plugins.manager import load_plugins

SINCE: Final = datetime(2011, 3, 1, tzinfo=UTC)
UNTIL: Final = datetime(2011, 12, 10, tzinfo=UTC)
BEGIN: Final = datetime(1990, 1, 1, tzinfo=UTC)
Document = dict[str, Any]


def document() -> Document:
    """The shop's programme: a point a pound of goods and of postage, twelve months valid, and three tiers."""
    programme: Document = yaml.safe_load(
        (Path(__file__).parents[1] / "programmes" / "online-retail.yaml").read_text(encoding="utf-8")
    )
    rules = [
        {"id": "goods", "when": "line.category == 'goods'", "points": "line.amount"},
        {"id": "postage", "when": "line.category == 'postage'", "points": "line.amount"},
    ]
    programme["channels"]["purchase"]["earn"] = {
        "points": {"groups": [{"id": "pounds", "per": "line", "add": "sum", "rules": rules}]},
        "growth": {"groups": [{"id": "pounds", "per": "line", "add": "sum", "rules": rules[:1]}]},
    }
    programme["tiers"] = {
        "window": {"months": 12},
        "keep": {"review": {"months": 6}, "ratio": "0.8", "warn_days": 10, "grace_days": 14},
        "ladder": [
            {"id": "bronze"},
            {"id": "silver", "all": [{"fact": "growth_earned", "at_least": 500}]},
            {"id": "gold", "all": [{"fact": "growth_earned", "at_least": 1500}]},
        ],
    }
    return programme


def dearer_gold() -> Document:
    """Gold needs twice the growth."""
    programme = document()
    programme["tiers"]["ladder"][2]["all"][0]["at_least"] = 3000
    return programme


def half_of_postage() -> Document:
    """Postage brings half the points."""
    programme = document()
    rules = [{"id": "postage_half", "when": "line.category == 'postage'", "factor": "0.5"}]
    halved = {"id": "less", "per": "line", "multiply": "best", "rules": rules}
    programme["channels"]["purchase"]["earn"]["points"]["groups"].append(halved)
    return programme


def nine_months() -> Document:
    """Points are valid for nine months."""
    programme = document()
    programme["expiry"]["months"] = 9
    return programme


CHANGES: Final = {"dearer gold": dearer_gold, "half of postage": half_of_postage, "nine months": nine_months}


def text(programme: Document) -> str:
    # By way of JSON, as YAML would say by an alias what stands in two places.
    return yaml.safe_dump(json.loads(json.dumps(programme, default=str)), sort_keys=False)


class Came(NamedTuple):
    """What came of the year: the figures, and what each member has of each unit and where they stand."""

    figures: Mapping[str, Any]
    members: Mapping[str, Mapping[str, str]]


def events(*, part: bool) -> Iterable[prepare.Event]:
    """The year's sales and refunds, of every twentieth customer if only a ``part`` is wanted."""
    endings = ("17", "37", "57", "77", "97") if part else ("",)
    return (event for event in prepare.online_retail() if event["member"].endswith(endings))


async def shop(url: str, file: Path, versions: Sequence[tuple[str, datetime]]) -> None:
    """A shop with these versions, into which the year is imported."""
    settings = Settings(database_url=url)
    async with open_laurel(settings, batch_max=import_batch(url)) as laurel:
        for number, (programme, starts_at) in enumerate(versions, 1):
            await publish(
                programme,
                author="examples.data.simulating",
                reason=f"version {number}",
                load=laurel.load,
                clock=laurel.clock,
                starts_at=starts_at,
                in_the_past=True,
            )
        await laurel.programmes.refresh(laurel.store.reader())
        importer = laurel.plugins.importers["orders"]
        columns = columns_of(importer, None)
        make = maker(importer, laurel, actor="a replay", as_of="row")
        await import_rows(read(examine(file, columns), columns), make, laurel.committer, reject=_unexpected)


def _unexpected(reject: Reject) -> None:
    raise RuntimeError(f"line {reject.line.number}: {reject.reason}: {reject.line.text}")


async def published(url: str) -> Came:
    """What came of the year in a shop, out of its own books, once all is done that is due by the end."""
    last = UNTIL - timedelta(microseconds=1)
    async with open_laurel(Settings(database_url=url)) as laurel:
        reader = laurel.store.reader()
        async for _ in settle(reader, laurel.committer, reviews_due("job tiers", last)):
            pass
        await sweep(reader, laurel.committer, last, actor="job expire")
        programme = laurel.programmes.at(last).programme
        run = await figures.figures(reader, programme, programme.unit_names, SINCE, UNTIL)
        found: dict[str, dict[str, str]] = {}
        async for stood in figures.balances(reader, UNTIL):
            for each in stood:
                found.setdefault(each.external_id, {})[each.unit] = str(each.balance)
        async for steps in figures.tiers(reader, UNTIL):
            for _, external_id, tier in steps:
                found.setdefault(external_id, {})["tier"] = tier
        # Whoever has only bought what brings nothing has no account.
        nothing = dict.fromkeys(programme.unit_names, "0")
        found = {external_id: {**nothing, **has} for external_id, has in found.items()}
        return Came(run.to_json(programme.currency), found)


async def simulated(url: str, programme: str, folder: Path) -> tuple[Came, Finished]:
    """What the simulation says of it, and what it cost."""
    members = folder / "members.csv"
    finished = None
    async for said in replay(Settings(database_url=url), programme, SINCE, UNTIL, datetime.now(UTC), members):
        if isinstance(said, Finished):
            finished = said
    assert finished is not None
    return Came(finished.result["draft"], read_members(members)), finished


def read_members(file: Path) -> dict[str, dict[str, str]]:
    """What each member would have under the draft, by their external ids."""
    with file.open(encoding="utf-8", newline="") as rows:
        return {
            row["external_id"]: {
                name.removesuffix("_draft") if name != "tier_draft" else "tier": value
                for name, value in row.items()
                if name.endswith("_draft")
            }
            for row in csv.DictReader(rows)
        }


def same(one: Came, other: Came) -> bool:
    """Whether every figure, and what every member has, is the same."""
    return one.members == other.members and all(other.figures[name] == value for name, value in one.figures.items())


async def _run(part: bool) -> int:
    apps = tables(load_plugins())
    unlike = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "events.jsonl"
        count = prepare.write(events(part=part), file)
        url = f"sqlite://{folder}/shop.sqlite3"
        await migrate(url, apps)
        await shop(url, file, [(text(document()), BEGIN)])
        print(f"{count:,} orders and refunds")
        for number, (title, change) in enumerate(CHANGES.items()):
            begun = time.monotonic()
            what_if, cost = await simulated(url, text(change()), folder)
            seconds = time.monotonic() - begun
            copy = f"sqlite://{folder}/copy{number}.sqlite3"
            await migrate(copy, apps)
            await shop(copy, file, [(text(document()), BEGIN), (text(change()), SINCE)])
            alike = same(await published(copy), what_if)
            unlike += not alike
            print(
                f"{title:<18} {'the same' if alike else 'ANOTHER'}: {len(what_if.members):,} members;"
                f" {seconds:.0f} s, {cost.cpu_ms / 1000:.0f} s of CPU, {cost.memory_bytes / 2**20:.0f} MiB at most"
            )
    return int(unlike > 0)


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="store_true", help="every twentieth customer only")
    return asyncio.run(_run(parser.parse_args().part))


if __name__ == "__main__":
    sys.exit(main())
