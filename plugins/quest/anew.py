"""Events and claims of quests, made again. What quests pay by themselves comes with what they count."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.engine.operations import Operation, Recorded
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader
from core.store.questions import Rows

from .operations import ClaimQuest, RecordQuestEvent
from .rules import CHANNEL


async def make(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    unknown = await _unknown(reader, [each for each in past if each.kind == ClaimQuest.kind])
    made: dict[str, Operation] = {}
    for each in past:
        result = each.result
        if each.kind == ClaimQuest.kind:
            if each.member_id not in unknown:
                made[each.id] = ClaimQuest(**each.asked, quest=result["quest"])
        elif "event" in result:
            made[each.id] = RecordQuestEvent(**each.asked, event=result["event"], object=result["object"])
    return made


async def _unknown(reader: Reader, claims: Sequence[Past]) -> set[str]:
    """Of these members those of whom an event was recorded before its result said which: their claims rest on it."""
    keys = sorted({(each.bucket, each.member_id, CHANNEL) for each in claims})
    question = Rows(Recorded, ("bucket", "member_id", "channel"), f"kind = '{RecordQuestEvent.kind}'")
    found = await question.answer(reader, keys)
    return {
        member_id
        for (_, member_id, _), events in found.items()
        if any(event.accepted and "event" not in event.result for event in events)
    }


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({RecordQuestEvent.kind, ClaimQuest.kind}), make=make)
