"""Referrals in the schema."""

from datetime import datetime
from enum import Enum
from typing import cast

import strawberry

from core.engine.operations import Outcome
from core.store.questions import Rows
from graph.vocabulary import ACTING, Info, Member, MemberByInput, Payload, Points, actor, mutation, perform

from .models import ReferralCode, ReferralInvitation, ReferralReward
from .operations import AcceptReferral, IssueReferralCode
from .rules import CHANNEL

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)


@strawberry.input
class IssueReferralCodeInput:
    """Who is to have a code."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class AcceptReferralInput:
    """Whom a new member was brought by."""

    member: MemberByInput = strawberry.field(description="The new member.")
    code: str = strawberry.field(description="The inviter's code, as it was typed: case and dashes don't matter.")
    enrol_if_unknown: bool = strawberry.field(
        default=False, description="Enrol the member, named by external id, if there is none."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class IssueReferralCodePayload(Payload):
    """What became of a code."""

    referral_code: str | None = strawberry.field(default=None, description="The member's code.")


@strawberry.type
class AcceptReferralPayload(Payload):
    """What became of an invitation."""


@strawberry.enum
class InvitationStatus(Enum):
    """Where an invitation stands."""

    ACCEPTED = strawberry.enum_value("accepted", description="It was accepted; the first order is to come.")
    REWARDED = strawberry.enum_value("rewarded", description="The first order was paid, and so were both members.")
    TAKEN_BACK = strawberry.enum_value("taken_back", description="The first order came back, and both bonuses went.")
    LAPSED = strawberry.enum_value("lapsed", description="The first order came too late, or before the invitation.")


@strawberry.type
class Invitation:
    """The invitation that a member accepted. Who it was from is not told."""

    accepted_at: datetime = strawberry.field(description="When it was accepted.")
    status: InvitationStatus = strawberry.field(description="Where it stands.")
    points: Points = strawberry.field(description="What it has brought the member.")


@strawberry.type
class Referral:
    """How a member stands with inviting others."""

    code: str | None = strawberry.field(description="The member's code; null until `issueReferralCode` gives one.")
    code_expires_at: datetime | None = strawberry.field(description="When the code expires; null for never.")
    invited: int = strawberry.field(description="How many have accepted the code.")
    rewarded: int = strawberry.field(description="For how many of them the member has been paid, and still is.")
    points: Points = strawberry.field(description="What that has brought.")
    invitation: Invitation | None = strawberry.field(description="The invitation that the member accepted, if any.")


@strawberry.type
class ReferralMemberFields:
    """What a member has of referrals."""

    @strawberry.field
    async def referral(self, info: Info) -> Referral | None:
        """How the member stands with inviting others; null when the programme knows no referrals."""
        if CHANNEL not in (await info.context.version()).programme.channels:
            return None
        # Fields of Member, so they are resolved with a member as self.
        loaders, member_id = info.context.loaders, cast(Member, self).member_id
        codes = await loaders.ask(Rows(ReferralCode, ("inviter",)), (member_id,)) or []
        rewards = [row for row in await loaders.rows(ReferralReward, member_id) if not row.is_taken_back]
        invitations = await loaders.rows(ReferralInvitation, member_id)
        return Referral(
            code=codes[0].code if codes else None,
            code_expires_at=codes[0].expires_at if codes else None,
            invited=sum(row.invited for row in codes),
            rewarded=len(rewards),
            points=Points(sum(row.points for row in rewards)),
            invitation=_invitation(invitations[0]) if invitations else None,
        )


def _invitation(row: ReferralInvitation) -> Invitation:
    status = InvitationStatus(row.state)
    brought = row.points if status is InvitationStatus.REWARDED else 0
    return Invitation(accepted_at=row.accepted_at, status=status, points=Points(brought))


@strawberry.type
class ReferralMutations:
    """What can be done about referrals."""

    @mutation(allow=ACTING)
    async def issue_referral_code(self, info: Info, input: IssueReferralCodeInput) -> IssueReferralCodePayload:
        """Give a member a code to invite friends with, or renew the one they have."""

        def code(outcome: Outcome) -> dict[str, str]:
            return {"referral_code": outcome.result["code"]}

        operation = IssueReferralCode(
            member=input.member.to_ref(info), idempotency_key=input.idempotency_key, actor=actor(info)
        )
        return await perform(info, operation, IssueReferralCodePayload, code)

    @mutation(allow=ACTING)
    async def accept_referral(self, info: Info, input: AcceptReferralInput) -> AcceptReferralPayload:
        """Record by whose code a new member was brought. The first order will bring points to both."""
        operation = AcceptReferral(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            code=input.code,
            enrol_if_unknown=input.enrol_if_unknown,
        )
        return await perform(info, operation, AcceptReferralPayload)
