"""Birthday gifts made again, each by the birthday that it went by: the member's may be another by now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.engine.operations import Operation
from core.engine.work import Work
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader
from core.store.questions import Rows

from .models import NOBODYS, BirthdayGift
from .operations import GiveBirthdayGift
from .rules import CHANNEL


@dataclass(frozen=True, kw_only=True)
class GiftAnew(GiveBirthdayGift):
    """The gift was given by that birthday."""

    birthday: date

    async def _birthday(self, work: Work) -> date | None:
        return self.birthday


async def make(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids. Who was erased has no birthday any more, and had their gifts."""
    keys = sorted({(each.bucket, each.member_id, each.id) for each in past})
    gifts = await Rows(BirthdayGift, ("bucket", "member_id", "transaction_id")).answer(reader, keys)
    birthdays = {transaction: rows[0].birthday for (_, _, transaction), rows in gifts.items()}
    return {
        each.id: GiftAnew(**each.asked, birthday=birthdays[each.id])
        for each in past
        if birthdays.get(each.id, NOBODYS) != NOBODYS
    }


ANEW: Final = Anew(channel=CHANNEL, kinds=frozenset({GiveBirthdayGift.kind}), make=make)
