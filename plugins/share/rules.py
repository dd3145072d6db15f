"""The channel's section of the programme, and the codes that stand in links."""

import hashlib
import re
from base64 import b32encode
from collections.abc import Collection
from typing import Annotated, Final

from pydantic import Field

from core.channels.limits import Limits
from core.rulebook.document import Section
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Budget
from core.units import AMOUNT_MAX, POINTS

CHANNEL: Final = "share"
SHARES: Final = "shares"

CODE: Final = re.compile(r"[a-z2-7]{16}", re.ASCII)


class Proof(Section):
    """A share is rewarded only when somebody has come by its code within ``days``.

    ``open`` is how many shares of a member may wait for that at a time.
    """

    days: Annotated[int, Field(strict=True, ge=1, le=366)] = 7
    open: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20


class ShareSettings(ChannelSettings):
    """The programme's section ``channels: share:``: ``points`` a time, as often as ``limits`` allow.

    All members together get what ``budget`` has.
    """

    points: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    limits: Limits = Limits()
    budget: Budget = Budget()
    proof: Proof | None = None

    def adds_to(self) -> Collection[str]:
        return {f"{POINTS}_earned", SHARES}


def code_of(operation_id: str) -> str:
    """The code of the share that this operation records: as hard to guess as the operation's id, and without it.

    >>> code_of("0197-an-operation")
    'bnnnnjn2c3vvvbyz'
    """
    return b32encode(hashlib.blake2b(f"share:{operation_id}".encode(), digest_size=10).digest()).decode().lower()
