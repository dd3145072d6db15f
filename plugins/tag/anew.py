"""Tags given and taken by hand, made again of what became of it: rules that are simulated ask for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from core.engine.operations import Operation
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader

from .operations import TagMember, UntagMember
from .rules import CHANNEL


async def make(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    return {each.id: _give(each) if each.kind == TagMember.kind else _take(each) for each in past}


def _give(past: Past) -> Operation:
    until = past.result["until"]
    return TagMember(
        **past.asked,
        tag=past.result["tag"],
        reason=past.reason,
        until=None if until is None else datetime.fromisoformat(until),
    )


def _take(past: Past) -> Operation:
    return UntagMember(**past.asked, tag=past.result["tag"], reason=past.reason)


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({TagMember.kind, UntagMember.kind}), make=make)
