"""The programme in the schema: its units and tiers; for staff also the document and who published it."""

from asyncio import to_thread
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import strawberry

from core.drafts.refusals import SecondPersonNeeded, VersionNotFound
from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme as CoreProgramme
from core.rulebook.programmes import Version
from core.rulebook.publishing import publish
from core.wording.language import channel_names
from graph.context import Info
from graph.errors import UserError
from graph.permissions import EVERYONE, STAFF, actor, field, mutation, query
from graph.phrases import Locale
from graph.programme.advice import ProgrammeDifference, ProgrammeWarning, differences_of, warnings_of
from graph.programme.core_rules import CoreRuleWarning, warning_of_version
from graph.programme.summary import ProgrammeSummary, summary_of
from graph.scalars import CurrencyCode
from graph.tier import Tier
from graph.tokens import Role

WARNING: Final = "That core rules have changed more than once in the quarter; null if not. It stops nothing."


@strawberry.type
class Unit:
    """What members are given: points, growth, or a unit of the programme's own."""

    name: str = strawberry.field(description="The unit's name in the programme document.")
    spendable: bool = strawberry.field(description="Whether it can be spent; growth only climbs tiers.")


@strawberry.type
class Publication:
    """How a version came about."""

    author: str = strawberry.field(description="Who published it.")
    reason: str = strawberry.field(description="Why.")
    published_at: datetime = strawberry.field(description="When.")
    document: str = strawberry.field(description="The document, as it was given.")


@strawberry.type
class ChannelName:
    """What a channel is called."""

    channel: str = strawberry.field(description="The channel: sign_in.")
    name: str = strawberry.field(description="Its name for people, in the language that was asked for.")


@strawberry.type
class ProgrammeContent:
    """What a document says, published or not."""

    code: str = strawberry.field(description="The programme's id in its document.")
    name: str = strawberry.field(description="What members call it.")
    currency: CurrencyCode = strawberry.field(description="The currency it counts in.")
    timezone: str = strawberry.field(description="The time zone its days are counted in: Asia/Shanghai.")
    point_value: Decimal | None = strawberry.field(
        description="What one point is worth in the currency; null where points are not money."
    )
    starts_on: date | None = strawberry.field(description="The first day of the programme; nothing happened before it.")
    digest: str = strawberry.field(description="SHA-256 of the document's content, in hexadecimal.")
    units: list[Unit] = strawberry.field(description="What members are given.")
    tiers: list[Tier] = strawberry.field(description="The tiers, the lowest first; empty where there are none.")
    _programme: strawberry.Private[CoreProgramme]

    @staticmethod
    def said_by(programme: CoreProgramme) -> dict[str, Any]:
        """The fields that a programme alone decides."""
        units = [programme.unit(name) for name in programme.unit_names]
        ladder = programme.tiers.ladder if programme.tiers else ()
        return {
            "code": programme.id,
            "name": programme.name or programme.id,
            "currency": CurrencyCode(programme.currency),
            "timezone": programme.timezone,
            "point_value": programme.point_value,
            "starts_on": programme.starts_on,
            "digest": programme.digest,
            "units": [Unit(name=unit.name, spendable=unit.spendable) for unit in units],
            "tiers": [Tier.of(programme, tier.id) for tier in ladder],
            "_programme": programme,
        }

    @strawberry.field
    def summary(
        self,
        locale: Annotated[Locale, strawberry.argument(description="The language of the sentences.")] = Locale.EN,
    ) -> ProgrammeSummary:
        """The rules as a member would read them, in words; what the public page of rules shows."""
        return summary_of(self._programme, locale)

    @strawberry.field
    def channels(
        self,
        info: Info,
        locale: Annotated[Locale, strawberry.argument(description="The language of the names.")] = Locale.EN,
    ) -> list[ChannelName]:
        """What channels are called: those of transactions and figures, whether the programme has a section for them."""
        called = {name: settings.called for name, settings in info.context.laurel.plugins.settings.items()}
        names = channel_names(locale.language, called)
        return [ChannelName(channel=channel, name=name) for channel, name in sorted(names.items())]

    @field(allow=STAFF)
    async def warnings(
        self,
        info: Info,
        locale: Annotated[Locale, strawberry.argument(description="The language of the messages.")] = Locale.EN,
    ) -> list[ProgrammeWarning]:
        """What is worth a second look: rules that never count, tiers out of reach, points without end."""
        # In a thread, like the reading of a document: of one of the largest it takes half a second.
        return await to_thread(warnings_of, self._programme, info.context.now, locale)

    @field(allow=STAFF)
    async def differences(
        self,
        info: Info,
        from_: Annotated[
            int | None,
            strawberry.argument(name="from", description="The version to compare with; the one in force if left out."),
        ] = None,
        locale: Annotated[Locale, strawberry.argument(description="The language of the sentences.")] = Locale.EN,
    ) -> list[ProgrammeDifference]:
        """What is otherwise than in another version: what members notice first. VERSION_NOT_FOUND without that one."""
        programmes = await info.context.programmes()
        if from_ is None:
            former = programmes.at(info.context.now)
        elif from_ in {version.number for version in programmes.versions}:
            former = programmes.version(from_)
        else:
            raise VersionNotFound(version=from_)
        return await to_thread(differences_of, former.programme, self._programme, locale)


@strawberry.type
class Programme(ProgrammeContent):
    """A version of the programme: what the brand has published. A version never changes."""

    version: int = strawberry.field(description="The version's number, from 1.")
    starts_at: datetime = strawberry.field(description="From when this version judges, until the next one does.")

    @classmethod
    def of(cls, version: Version) -> "Programme":
        return cls(version=version.number, starts_at=version.starts_at, **cls.said_by(version.programme))

    @field(allow=STAFF)
    async def publication(self, info: Info) -> Publication | None:
        """How the version came about, and its document."""
        row = await ProgrammeVersionRow.get(number=self.version)
        return Publication(author=row.author, reason=row.reason, published_at=row.published_at, document=row.document)


@strawberry.type
class ProgrammeQueries:
    """What can be asked about the programme."""

    @query(allow=EVERYONE)
    async def programme(
        self,
        info: Info,
        at: Annotated[datetime | None, strawberry.argument(description="The instant; now if left out.")] = None,
    ) -> Programme:
        """The version of the programme in force. PROGRAMME_NOT_FOUND when there is none."""
        programmes = await info.context.programmes()
        return Programme.of(programmes.at(at or info.context.now))

    @query(allow=STAFF)
    async def programme_versions(self, info: Info) -> list[Programme]:
        """All versions of the programme, past, present and to come, by the instant from which they judge."""
        programmes = await info.context.programmes()
        return [Programme.of(version) for version in programmes.versions]


@strawberry.input
class PublishProgrammeInput:
    """A programme to publish."""

    document: str = strawberry.field(description="The programme document: YAML.")
    reason: str = strawberry.field(description="Why it is published, 3 to 1000 characters.")
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when it judges; now if left out. Not in the past."
    )


@strawberry.type
class PublishProgrammePayload:
    """What became of a publication."""

    programme: Programme | None = strawberry.field(
        default=None, description="The new version; null when it was refused."
    )
    core_rule_warning: CoreRuleWarning | None = strawberry.field(default=None, description=WARNING)
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was published."
    )


@strawberry.type
class ProgrammeMutations:
    """What can be done about the programme."""

    @mutation(allow={Role.OPERATOR})
    async def publish_programme(self, info: Info, input: PublishProgrammeInput) -> PublishProgrammePayload:
        """Publish a new version of the programme. PROGRAMME_INVALID lists every problem of the document.

        SECOND_PERSON_NEEDED where nobody publishes alone: then drafts are proposed and approved.
        """
        laurel = info.context.laurel
        if laurel.settings.publish_by_two:
            raise SecondPersonNeeded
        version = await publish(
            input.document,
            author=actor(info),
            reason=input.reason,
            load=laurel.load,
            clock=laurel.clock,
            starts_at=input.starts_at,
        )
        await laurel.programmes.refresh(info.context.reader)
        info.context.wrote()
        return PublishProgrammePayload(
            programme=Programme.of(version),
            core_rule_warning=await warning_of_version(laurel.programmes.versions, version),
        )
