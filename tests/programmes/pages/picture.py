"""A picture of one member's balance and tier over time: an SVG that is the same on every machine.

The balance is a line in steps; the tier is the band below it and the tint behind it. Numbers are those of the table.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.time.calendar import local_day
from tests.programmes.story import Row, written_day

WIDTH: Final = 960
LEFT, RIGHT, LANE, TOP, BOTTOM = 72, 936, 70, 96, 326
BAND, BAND_HEIGHT = 362, 30
_APART: Final = 23
"""So far are the numbers above the line from each other at least."""
_LETTER: Final = 7.6
"""A letter of a tier's name is about so wide."""

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Stretch(NamedTuple):
    """For how long a member was of a tier; ``rank`` counts from 0."""

    name: str
    rank: int
    begin: datetime
    end: datetime


def draw(
    title: str,
    rows: Sequence[Row],
    marks: Mapping[int, Row],
    *,
    ladder: Sequence[tuple[str, str]],
    zone: ZoneInfo,
    until: datetime,
) -> str:
    """The picture of what ``rows`` tell of one member, whose tiers are of ``ladder``, the lowest first."""
    begin = rows[0].at
    across = _Scale(begin.timestamp(), until.timestamp(), LEFT, RIGHT)
    ticks = nice(min(0, *(row.balance for row in rows)), max(row.balance for row in rows))
    up = _Scale(ticks[0], ticks[-1], BOTTOM, TOP)
    stretches = _stretches(rows, ladder, until)
    return _ENVIRONMENT.get_template("picture.svg").render(
        title=title,
        says=_says(rows, stretches, zone),
        width=WIDTH,
        height=BAND + BAND_HEIGHT + 16 if stretches else BAND,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
        band=BAND,
        band_height=BAND_HEIGHT,
        ups=[(_fixed(up(tick)), f"{tick:,}") for tick in ticks],
        zero=_fixed(up(0)),
        months=[(_fixed(across(at.timestamp())), words, strong) for at, words, strong in _months(begin, until, zone)],
        line=_line(rows, across, up),
        marks=_marks(marks, across, up),
        legend=_legend([name for _, name in ladder]) if stretches else [],
        stretches=[
            (
                _fixed(x := across(one.begin.timestamp())),
                _fixed(wide := across(one.end.timestamp()) - x),
                one.rank,
                one.name if wide > len(one.name) * _LETTER + 8 else "",
                f"{one.name}: {' to '.join(written_day(local_day(at, zone)) for at in (one.begin, one.end))}",
            )
            for one in stretches
        ],
    )


class _Scale(NamedTuple):
    """From a range of values to a range of the picture."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def nice(low: int, high: int) -> list[int]:
    """Round numbers for an axis, from no more than ``low`` to no less than ``high``.

    >>> nice(0, 2349)
    [0, 500, 1000, 1500, 2000, 2500]
    >>> nice(-40, 90)
    [-50, 0, 50, 100]
    """
    span = max(high - low, 4)
    size = 10 ** (len(str(span)) - 1)
    step = next(
        size * part // 10 for part in (1, 2, 5, 10, 20, 50) if size * part // 10 and size * part / 10 * 6 > span
    )
    first, last = -(-low // -step) if low < 0 else 0, -(-high // step)
    first = low // step if low < 0 else 0
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _fixed(value: float) -> str:
    """A coordinate to a tenth: '12.5', and '12' for 12.0."""
    return f"{value:.1f}".removesuffix(".0")


def _line(rows: Sequence[Row], across: _Scale, up: _Scale) -> str:
    path = [f"M{_fixed(across(rows[0].at.timestamp()))} {_fixed(up(rows[0].balance))}"]
    path += [f"H{_fixed(across(row.at.timestamp()))}V{_fixed(up(row.balance))}" for row in rows[1:]]
    return "".join([*path, f"H{_fixed(RIGHT)}"])


def _marks(marks: Mapping[int, Row], across: _Scale, up: _Scale) -> list[tuple[int, str, str, str]]:
    """Each number, where it stands in its lane, and the point of the line that it is about; no two overlap."""
    wanted = [across(row.at.timestamp()) for row in marks.values()]
    places: list[float] = []
    for x in wanted:
        places.append(max(x, LEFT + 4, *(place + _APART for place in places[-1:])))
    limit = float(RIGHT - 4)
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - _APART
    return [
        (number, _fixed(place), _fixed(x), _fixed(up(row.balance)))
        for (number, row), place, x in zip(marks.items(), places, wanted, strict=True)
    ]


def _months(begin: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[datetime, str, bool]]:
    """The firsts of months to name; of January with its year, which stands out."""
    first, last = local_day(begin, zone), local_day(until, zone)
    between = (last.year - first.year) * 12 + last.month - first.month
    step = next(step for step in (1, 2, 3, 6, 12) if between / step <= 12 or step == 12)
    found: list[tuple[datetime, str, bool]] = []
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        day = date(number // 12, number % 12 + 1, 1)
        at = datetime.combine(day, time(0), zone).astimezone(UTC)
        if begin <= at <= until and (day.month - 1) % step == 0:
            is_named = day.month == 1 or not found
            found.append((at, f"{day:%b %Y}" if is_named else f"{day:%b}", day.month == 1))
    return found


def _stretches(rows: Sequence[Row], ladder: Sequence[tuple[str, str]], until: datetime) -> list[Stretch]:
    names = dict(ladder)
    ranks = {code: rank for rank, (code, _) in enumerate(ladder)}
    found: list[Stretch] = []
    for row in rows:
        if not row.tier:
            continue
        if found and found[-1].rank == ranks[row.tier]:
            continue
        if found:
            found[-1] = found[-1]._replace(end=row.at)
        found.append(Stretch(names[row.tier], ranks[row.tier], row.at, until))
    return [one for one in found if one.end > one.begin]


def _legend(names: Sequence[str]) -> list[tuple[str, str]]:
    """The names of the tiers in a row that ends at the right, the lowest first."""
    places, x = [], float(RIGHT)
    for name in reversed(names):
        x -= len(name) * _LETTER
        places.append((_fixed(x), name))
        x -= 34
    return places[::-1]


def _says(rows: Sequence[Row], stretches: Sequence[Stretch], zone: ZoneInfo) -> str:
    """What is seen, for those who do not see it."""
    most = max(rows, key=lambda row: row.balance)
    last = rows[-1]
    ways = "; ".join(f"{one.name} from {written_day(local_day(one.begin, zone))}" for one in stretches)
    return (
        f"The balance begins at {rows[0].balance:,} points, is at most {most.balance:,} on"
        f" {written_day(local_day(most.at, zone))} and ends at {last.balance:,}."
        + (f" The tiers: {ways}." if ways else "")
    )
