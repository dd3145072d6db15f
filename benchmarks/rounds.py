"""Measuring on a machine that others use as well: contenders take turns, and are compared inside a round only.

A slow minute then slows all of them. Each round begins with another contender, and the median round counts.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Sample(NamedTuple):
    """One contender in one round: how many a second, and how long each took in seconds."""

    rate: float
    latencies: Sequence[float]

    def percentile(self, percent: int) -> float:
        """The latency that so many percent did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[(len(ordered) - 1) * percent // 100]


Samples = Mapping[str, Sequence[Sample]]


async def take_turns(
    contenders: Mapping[str, Callable[[], Awaitable[Sample]]],
    rounds: int,
    before: Callable[[int], Awaitable[object]] | None = None,
) -> Samples:
    """The samples of each contender, one a round; ``before`` makes ready what a round needs."""
    names = list(contenders)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(rounds):
        if before is not None:
            await before(number)
        first = number % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(await contenders[name]())
    return samples


def ratio(samples: Samples, name: str, against: str) -> float:
    """How many times as fast ``name`` was, in the median of the rounds."""
    return median(one.rate / other.rate for one, other in zip(samples[name], samples[against], strict=True))


async def keep_calling(call: Callable[[int], Awaitable[object]], callers: int, seconds: float) -> Sample:
    """So many callers at once, each calling again as soon as it is answered; calls under way at the end are awaited."""
    latencies: list[float] = []
    begun = perf_counter()

    async def caller(number: int) -> None:
        while (asked := perf_counter()) < begun + seconds:
            await call(number)
            latencies.append(perf_counter() - asked)

    await gather(*(caller(number) for number in range(callers)))
    return Sample(len(latencies) / (perf_counter() - begun), latencies)


async def call_each(call: Callable[[int], Awaitable[object]], numbers: Iterable[int], callers: int) -> Sample:
    """Call once with each number, so many callers at once: for what nobody can do again and again."""
    latencies: list[float] = []
    left = iter(numbers)
    begun = perf_counter()

    async def caller() -> None:
        for number in left:
            asked = perf_counter()
            await call(number)
            latencies.append(perf_counter() - asked)

    await gather(*(caller() for _ in range(callers)))
    return Sample(len(latencies) / (perf_counter() - begun), latencies)
