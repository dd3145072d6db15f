"""Sections of the profile that were completed, made again."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.engine.operations import Operation
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader

from .operations import CompleteProfileSection
from .rules import CHANNEL


async def make(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    return {each.id: CompleteProfileSection(**each.asked, section=each.result["section"]) for each in past}


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({CompleteProfileSection.kind}), make=make)
