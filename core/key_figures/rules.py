"""What each channel gave, and each of its rules: the rules and what is left add up to the channel.

A rule's share is by how much it changed the rounded total of an award, in the order of the groups: so shares are whole
and add up to what the award was worth before caps. What a cap took is a row of its own, below zero.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from core.key_figures.aggregates import RULE
from core.rulebook.programme import Programme
from core.units import POINTS
from core.value.liability import worth

OTHER: Final = "other"
"""What a channel gave without rules, or before it was kept what each gave."""


class ChannelFigures(NamedTuple):
    """What a channel gave of a unit: how often, how much, and what that is worth. ``taken_back`` is what it took."""

    channel: str
    unit: str
    fired: int
    given: int
    taken_back: int
    cost: Decimal | None


class RuleFigures(NamedTuple):
    """What a rule gave in a channel, in how many awards it counted, and what that is worth.

    ``of`` says whose rule it is where that is not the channel's own: ``campaign:sale618``. With a ``rest`` it is no
    rule, but what took points away (see ``Less``), or all else that was given (``OTHER``,
    of which nobody counts how often).
    """

    channel: str
    unit: str
    of: str
    group: str
    rule: str
    rest: str
    fired: int
    given: int
    cost: Decimal | None


Place = tuple[str, str, str, str]


def rules_of(
    channels: Sequence[ChannelFigures], amounts: Mapping[Place, int], times: Mapping[Place, int], programme: Programme
) -> list[RuleFigures]:
    """The rules of these channels by name, of each first what they gave and then what took some of it away.

    ``amounts`` and ``times`` are aggregates of the period, by name, unit, channel and part.
    """
    others = {(channel.channel, channel.unit): channel.given for channel in channels}
    found = []
    for place, given in amounts.items():
        name, unit, channel, part = place
        if name != RULE:
            continue
        of, group, rule = part.split(">")
        others[channel, unit] = others.get((channel, unit), 0) - given
        named = (of, group, rule, "") if group else (of, "", "", rule)
        found.append(RuleFigures(channel, unit, *named, times[place], given, cost_of(given, unit, programme)))
    for (channel, unit), given in others.items():
        if given:
            found.append(RuleFigures(channel, unit, "", "", "", OTHER, 0, given, cost_of(given, unit, programme)))
    return sorted(
        found, key=lambda row: (row.channel, row.unit, row.rest == OTHER, row.of, row.rest, row.group, row.rule)
    )


def cost_of(given: int, unit: str, programme: Programme) -> Decimal | None:
    """In money, rounded once; None for a unit other than points, or where a point has no value."""
    if programme.point_value is None or unit != POINTS:
        return None
    return worth(given, programme.point_value, programme.currency)
