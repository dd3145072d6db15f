"""Codes and whom they brought, made again. What a friend's orders bring both, they bring by themselves."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.engine.operations import Operation
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader

from .operations import AcceptReferral, IssueReferralCode, RewardInviter, TakeBackInviterReward
from .rules import CHANNEL


async def make(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    return {each.id: _made(each) for each in past}


def _made(past: Past) -> Operation:
    if past.kind == IssueReferralCode.kind:
        return IssueReferralCode(**past.asked)
    return AcceptReferral(**past.asked, code=past.result["code"], enrol_if_unknown=True)


ANEW: Final = Anew(
    channel=CHANNEL,
    kinds=frozenset({IssueReferralCode.kind, AcceptReferral.kind}),
    make=make,
    follow=frozenset({RewardInviter.kind, TakeBackInviterReward.kind}),
)
