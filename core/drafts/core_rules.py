"""Core rules: what members plan by, and what should not change more than once in a quarter.

What orders earn, how long points last, what they are worth and pay for, and the tiers. A rule that ends by itself is a
campaign and none of them. That they are changed twice is said before, and never stops anybody: who does it knows why.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.time.calendar import local_day, quarter_end

CORE_KEYS: Final = ("expiry", "rounding", "point_value", "claw_back", "units", "tiers")
"""What of the programme itself is a core rule; of a channel's section it is how long what it gives lasts, and what its
settings say."""


class CoreChange(NamedTuple):
    """A version that changed core rules, and which."""

    version: Version
    rules: tuple[str, ...]


class ChangedAgain(NamedTuple):
    """Core rules that a programme would change in a quarter in which some were changed before."""

    rules: tuple[str, ...]
    earlier: tuple[CoreChange, ...]
    quarter_ends_on: date


def changed_again(versions: Sequence[Version], programme: Programme, starts_at: datetime) -> ChangedAgain | None:
    """What of the core rules the programme changes from ``starts_at`` on, if its quarter has seen a change of some.

    ``versions`` are all there are, by start. The quarter is one of the programme's calendar.
    """
    before = [version for version in versions if version.starts_at <= starts_at]
    if not before:
        return None
    rules = changed_core(before[-1].programme, programme)
    ends_on = quarter_end(local_day(starts_at, programme.zone))
    if not rules:
        return None
    earlier = []
    # The first version changes nothing: there was nothing before it.
    for former, version in pairwise(versions):
        if quarter_end(local_day(version.starts_at, programme.zone)) == ends_on:
            changed = changed_core(former.programme, version.programme)
            if changed:
                earlier.append(CoreChange(version, changed))
    return ChangedAgain(rules, tuple(earlier), ends_on) if earlier else None


def changed_core(former: Programme, programme: Programme) -> tuple[str, ...]:
    """The paths of the core rules that differ between the two."""
    ours, theirs = _core_of(former), _core_of(programme)
    return tuple(path for path in sorted({*ours, *theirs}) if ours.get(path) != theirs.get(path))


def _core_of(programme: Programme) -> Mapping[str, Any]:
    content = programme.document
    core = {key: _lasting(content[key]) for key in CORE_KEYS if key in content}
    sections = content.get("channels") or {}
    for channel, settings in programme.channels.items():
        for key in ("expiry", *sorted(settings.core_rules)):
            if key in sections[channel]:
                core[f"channels.{channel}.{key}"] = _lasting(sections[channel][key])
    return core


def _lasting(value: Any) -> Any:
    """Without the rules that end by themselves, and the groups that are made of such."""
    match value:
        case dict():
            return {key: _lasting(inner) for key, inner in value.items()}
        case list():
            return [_lasting(inner) for inner in value if not _passes(inner)]
        case _:
            return value


def _passes(value: Any) -> bool:
    match value:
        case {"valid": {"to": _}}:
            return True
        case {"rules": [_, *_] as rules}:
            return all(map(_passes, rules))
        case _:
            return False


async def said_of(again: ChangedAgain) -> str:
    """The warning in a sentence: what is changed again, and who changed core rules before, when and why."""
    numbers = [change.version.number for change in again.earlier]
    rows = {row.number: row for row in await ProgrammeVersionRow.filter(number__in=numbers)}
    before = "; ".join(
        f"version {number} by {rows[number].author} ({rows[number].reason}) changed {', '.join(change.rules)}"
        for number, change in zip(numbers, again.earlier, strict=True)
    )
    return (
        f"core rules change again in the quarter that ends on {again.quarter_ends_on}: {', '.join(again.rules)}. "
        f"Before, {before}"
    )
