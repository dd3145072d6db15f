"""The profile in the schema."""

from typing import cast

import strawberry

from graph.vocabulary import Info, Member, MemberByInput, Payload, Points, Role, actor, mutation, perform

from .models import WHOLE, ProfileSection
from .operations import CompleteProfileSection
from .rules import CHANNEL, ProfileSettings


@strawberry.input
class CompleteProfileSectionInput:
    """A section of the profile that the member has completed."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    section: str = strawberry.field(description="The section, as the programme names it: phone.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before. Best derived from the section: profile:phone."
    )


@strawberry.type
class CompleteProfileSectionPayload(Payload):
    """What became of completing a section."""


@strawberry.type(name="ProfileSection")
class ProfileSectionState:
    """A section of the profile."""

    id: str = strawberry.field(description="Its name in the programme: phone.")
    done: bool = strawberry.field(description="Whether the member has completed it.")
    points: Points = strawberry.field(description="What completing it brings, once in a life.")


@strawberry.type
class Profile:
    """How far a member's profile is."""

    sections: list[ProfileSectionState] = strawberry.field(description="Its sections, in the programme's order.")
    complete: bool = strawberry.field(description="Whether all sections are completed.")
    bonus: Points = strawberry.field(description="What completing all of them brings on top, once in a life.")
    bonus_earned: bool = strawberry.field(description="Whether the member has been given that.")


@strawberry.type
class ProfileMemberFields:
    """What a member has of the profile."""

    @strawberry.field
    async def profile(self, info: Info) -> Profile | None:
        """How far the member's profile is; null when the programme rewards none."""
        settings = (await info.context.version()).programme.channels.get(CHANNEL)
        if settings is None:
            return None
        assert isinstance(settings, ProfileSettings)
        # Fields of Member, so they are resolved with a member as self.
        rows = await info.context.loaders.rows(ProfileSection, cast(Member, self).member_id)
        done = {row.section for row in rows if row.done}
        return Profile(
            sections=[
                ProfileSectionState(id=name, done=name in done, points=Points(points))
                for name, points in settings.sections.items()
            ],
            complete=settings.sections.keys() <= done,
            bonus=Points(settings.complete),
            bonus_earned=WHOLE in done,
        )


@strawberry.type
class ProfileMutations:
    """What can be done about the profile."""

    # Not a member's own: what a section holds is the brand's to know, and to vouch for.
    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def complete_profile_section(
        self, info: Info, input: CompleteProfileSectionInput
    ) -> CompleteProfileSectionPayload:
        """Record that a member has completed a section of the profile. Each earns once in a life."""
        operation = CompleteProfileSection(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            section=input.section,
        )
        return await perform(info, operation, CompleteProfileSectionPayload)
