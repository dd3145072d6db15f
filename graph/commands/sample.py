"""The shop of ``laurel serve --sample``: the sample-shop programme, and a year of real purchases up to yesterday.

The purchases are of 48 customers of the Online Retail data, from the largest to the smallest, moved to the present.
Their pounds are taken for yuan, and each article is put into one of the programme's categories.
"""

import asyncio
import sys
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.books.members import ByExternalId, Member
from core.channels.redemption import HoldPoints, RedeemPoints
from core.engine.operations import Operation
from core.errors import LaurelError
from core.files.importing import Line, Reject, import_rows
from core.rulebook.publishing import publish
from core.scheduling.sweep import sweep
from graph.laurel import Laurel
from graph.starting.opening import member_called
from graph.starting.programmes import read_shipped
from plugins.hookspecs import Importing

ROOT: Final = Path(__file__).parents[2]
PROGRAMME: Final = "sample-shop"
ACTOR: Final = "sample"
FACE: Final = "14057"
"""The member for whom a token is printed."""

FACES: Final = (FACE, "12597", "12509", "18102")
"""The members whom anybody on this machine may be in the member centre."""

_LAST_DAY: Final = datetime(2011, 12, 9)  # noqa: DTZ001 (the data's own days, which have no zone)
_CATEGORIES: Final = ("tea", "coffee", "rice", "milk_powder", "nappies", "toys", "books", "garden")
_CUSTOMERS: Final = frozenset(map(str, (
    18102, 17511, 13694, 17389, 15615, 14057, 14191, 12597, 15764, 12356, 15271, 12783,
    15493, 16249, 12398, 13110, 17054, 14698, 13282, 15329, 12994, 12772, 16092, 16205,
    12612, 13518, 13145, 17142, 17443, 14236, 14184, 16957, 14420, 13291, 18078, 16091,
    15254, 17011, 15634, 15724, 14789, 12509, 14585, 17468, 14974, 15428, 18184, 16013,
)))  # fmt: skip


class NoSample(LaurelError):
    """The sample's files are not there, or the programme is another."""


async def open_shop(laurel: Laurel) -> Member | None:
    """Fill the database if nothing was published in it; the member to show, if the shop is the sample's."""
    if not laurel.programmes.versions:
        await _fill(laurel)
    return await member_called(laurel, FACE)


def is_sample(laurel: Laurel) -> bool:
    """Whether the shop is the sample's and not one that was there before."""
    return laurel.programmes.versions[0].programme.id == PROGRAMME


async def _fill(laurel: Laurel) -> None:
    importer = laurel.plugins.importers.get("orders")
    if importer is None or not (ROOT / "examples" / "data" / "prepare.py").exists():
        raise NoSample("--sample needs the purchase plugin and the folder examples/ of the repository")
    now = laurel.clock.now()
    version = await publish(
        read_shipped(PROGRAMME),
        author=ACTOR,
        reason="the sample shop opens",
        load=laurel.load,
        clock=laurel.clock,
        starts_at=now - timedelta(days=400),
        in_the_past=True,
    )
    await laurel.programmes.refresh(laurel.store.reader())
    zone = version.programme.zone
    importing = Importing(zone=zone, actor=ACTOR, replaying=True)
    events = await asyncio.to_thread(list, _events(now.astimezone(zone).replace(tzinfo=None)))
    await import_rows(
        iter(events), lambda row: importer.operation(row, importing), laurel.committer, reject=_impossible
    )
    await sweep(laurel.store.reader(), laurel.committer, now, actor=ACTOR)
    for outcome in await laurel.committer.submit_many(_spending()):
        if isinstance(outcome, BaseException):
            raise outcome


def _events(now: datetime) -> Iterator[Line]:
    """The purchases and refunds, the last of them yesterday."""
    sys.path.append(str(ROOT))
    from examples.data.prepare import online_retail

    shift = timedelta(days=(now - _LAST_DAY).days - 1)
    for event in online_retail():
        if event["member"] in _CUSTOMERS:
            at = datetime.fromisoformat(event["at"]) + shift
            yield Line("sample", 0, {**event, "at": at.isoformat(), "lines": _lines(event)}, None, "")


def _lines(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    if event["kind"] != "sale":
        return [{name: value for name, value in line.items() if name != "category"} for line in event["lines"]]
    return [{**line, "category": _category(line["sku"])} for line in event["lines"]]


def _category(sku: str) -> str:
    return _CATEGORIES[zlib.crc32(sku.encode()) % len(_CATEGORIES)]


def _impossible(reject: Reject) -> None:
    raise NoSample(f"the sample does not go in: {reject.reason}")


def _spending() -> list[Operation]:
    """Some have redeemed points and some have points on hold."""
    operations: list[Operation] = []
    for number, customer in enumerate(sorted(_CUSTOMERS)):
        request: dict[str, Any] = {"member": ByExternalId(customer), "actor": ACTOR}
        if number % 3 == 0:
            operations.append(RedeemPoints(**request, idempotency_key="sample:gift", points=100, reference="a gift"))
        if number % 4 == 0 or customer == FACE:
            operations.append(
                HoldPoints(
                    **request, idempotency_key="sample:basket", points=50, seconds=7 * 24 * 3600, reference="a basket"
                )
            )
    return operations
