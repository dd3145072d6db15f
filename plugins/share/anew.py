"""Shares and what proved them, made again. A share keeps its id, and so the code that others came by."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.engine.operations import Operation
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader

from .operations import ConfirmShare, RecordShare
from .rules import CHANNEL, code_of


async def make(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    return {each.id: _made(each) for each in past}


def _made(past: Past) -> Operation:
    if past.kind == RecordShare.kind:
        return RecordShare(**past.asked, item=past.result["item"])
    code = code_of(past.result["transaction"])
    # Who it was is forgotten with the member, and when the share is done anew. It was not the member.
    return ConfirmShare(**past.asked, code=code, visitor=f"who came by {code}")


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({RecordShare.kind, ConfirmShare.kind}), make=make)
