"""Visits and days that were made up, made again: they are judged by what a member was there for and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.engine.operations import Operation
from core.engine.work import Work
from core.simulating.anew import Anew, Past, spend_what_is_there
from core.store.dialect import Reader

from .operations import MakeUpSignIn, RecordSignIn
from .rules import CHANNEL


@dataclass(frozen=True, kw_only=True)
class MakeUpAnew(MakeUpSignIn):
    """The day was made up, also where the member has fewer points now than it costs."""

    async def _pay(self, work: Work, points: int) -> None:
        await spend_what_is_there(work, points)


async def make(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    return {each.id: _made(each) for each in past}


def _made(past: Past) -> Operation:
    if past.kind == RecordSignIn.kind:
        return RecordSignIn(**past.asked)
    return MakeUpAnew(**past.asked, day=date.fromisoformat(past.result["day"]))


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({RecordSignIn.kind, MakeUpSignIn.kind}), make=make)
