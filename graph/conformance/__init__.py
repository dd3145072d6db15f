"""The conformance suite: what every channel promises, tried against one that is installed.

The channel is called as its README shows: the first ``yaml`` block is its section of a programme, the first ``graphql``
block the call. A channel whose call needs something first (stock, a code) has a module ``conformance`` with
``async def prepare(shop) -> str | None``, which sees to it and may give another call. Members that the call names are
enrolled, with 100,000 points each; the call's idempotency key, and what it selects, are the suite's own.

It runs on SQLite files that are thrown away, with a clock that stands still. What a check says of a channel is
``Verdict.NOT_TRIED`` where there was nothing to try: no mutation, no caps, a transaction without entries.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.errors import LaurelError
from graph.lint import SchemaInvalid
from plugins.manager import Offer

from . import conduct, shape
from .readme import Fails, NotTried, readme_section
from .subject import Subject

__all__ = ["Result", "Verdict", "examine", "readme_section"]


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


_CHECKS: Final[Mapping[str, Callable[[Subject], Awaitable[str]]]] = {
    "loads alone": shape.loads_alone,
    "can be left out": shape.can_be_left_out,
    "everything is described": shape.is_described,
    "names are spelled as all others": shape.is_spelled,
    "no JSON in the schema": shape.has_no_json,
    "lists that grow are connections": shape.pages_its_lists,
    "one input with a key, one payload with errors": shape.mutations_have_one_shape,
    "settings are validated": shape.settings_are_checked,
    "its rules are told in words": shape.speaks,
    "the README's call is done": conduct.example_is_done,
    "events have their shapes": conduct.tells_what_it_promises,
    "idempotent": conduct.is_idempotent,
    "a refusal leaves nothing": conduct.refusals_leave_nothing,
    "stops for who is frozen": conduct.stops_for_the_frozen,
    "a reversal is symmetric": conduct.is_reversible,
    "bounded by its caps": conduct.keeps_its_caps,
    "days are the programme's": conduct.days_are_local,
    "fast under the lock": conduct.is_quick,
}


async def examine(offer: Offer, others: Sequence[Offer], folder: Path) -> list[Result]:
    """Everything that the suite finds about a plugin; ``others`` are those it must live with and can be left out of.

    Databases are made in ``folder``. Whatever a stranger's code raises is a finding.
    """
    subject = Subject(offer, others, folder)
    results: list[Result] = []
    for name, check in _CHECKS.items():
        if results and results[0].verdict is Verdict.FAILS:
            results.append(Result(name, Verdict.NOT_TRIED, "it does not load"))
            continue
        try:
            results.append(Result(name, Verdict.HOLDS, await check(subject)))
        except NotTried as reason:
            results.append(Result(name, Verdict.NOT_TRIED, str(reason)))
        except SchemaInvalid:
            results.append(Result(name, Verdict.NOT_TRIED, "its schema is not served"))
        except (Fails, LaurelError) as reason:
            results.append(Result(name, Verdict.FAILS, str(reason)))
        except Exception as error:
            results.append(Result(name, Verdict.FAILS, f"{type(error).__name__}: {error}"))
    return results
