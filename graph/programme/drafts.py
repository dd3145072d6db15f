"""Drafts in the schema: a programme document that is worked on, until it is published or discarded."""

import asyncio
from datetime import datetime
from enum import Enum
from typing import Annotated, Final

import strawberry
from strawberry import ID

from core.drafts import drafting
from core.drafts.drafting import Hand
from core.drafts.refusals import SecondPersonNeeded
from core.errors import InvalidValue, Problem, ProgrammeInvalid
from core.models import ProgrammeDraftRow
from core.rulebook.programme import Programme as CoreProgramme
from core.rulebook.programmes import Version
from graph.context import Info
from graph.errors import ProgrammeProblem, UserError
from graph.ids import Node, global_id, parts_of
from graph.pages import Connection, Page, Where, newest, page_of_all, paged
from graph.permissions import actor, caller_of, mutation, query
from graph.programme.core_rules import CoreRuleWarning, core_rule_warning, warning_of_version
from graph.programme.versions import WARNING, Programme, ProgrammeContent
from graph.texts import NUL, check_text
from graph.tokens import Role

_READERS = frozenset({Role.OPERATOR, Role.ANALYST})
_READING = _READERS | {Role.ADMIN}
DRAFT: Final = "The draft."
REVISION: Final = "The revision that you saw. If the draft is at another by now, nothing is done: DRAFT_CHANGED."
_BASED_ON = "The newest version that you have seen, where the draft began from an older one: without it DRAFT_OUTDATED."
_REASON = "Why, 3 to 1000 characters."

_Outcome = tuple[CoreProgramme | None, tuple[Problem, ...]]
"""The programme that a draft would be, or the problems in its way."""


@strawberry.enum
class ProgrammeDraftState(Enum):
    """Where a draft stands."""

    OPEN = strawberry.enum_value("open", description="It is being worked on.")
    PROPOSED = strawberry.enum_value("proposed", description="It waits for a second person; any change opens it again.")
    PUBLISHED = strawberry.enum_value("published", description="It is a version of the programme.")
    DISCARDED = strawberry.enum_value("discarded", description="Nobody works on it any more.")


@strawberry.type
class DraftedProgramme(ProgrammeContent):
    """The programme that a draft would be if it were published."""

    @classmethod
    def of(cls, programme: CoreProgramme) -> "DraftedProgramme":
        return cls(**cls.said_by(programme))


@strawberry.type
class ProgrammeProposal:
    """What a draft shall be published with, once a second person agrees."""

    proposed_by: str = strawberry.field(description="Who proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    reason: str = strawberry.field(description="Why.")
    starts_at: datetime | None = strawberry.field(description="From when it shall judge; null for as soon as approved.")


@strawberry.type
class ProgrammeDraft(Node):
    """A programme document that is being worked on. What it says holds for nobody before it is published."""

    title: str = strawberry.field(description="What it is about.")
    document: str = strawberry.field(description="The document: YAML, which may have problems while it is worked on.")
    based_on: int | None = strawberry.field(description="The version it began from; null where it began from nothing.")
    revision: int = strawberry.field(description="How often it was changed, from 1. Each change names what it saw.")
    state: ProgrammeDraftState = strawberry.field(description="Where it stands.")
    author: str = strawberry.field(description="Who began it.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    edited_by: str = strawberry.field(description="Who changed the document last.")
    edited_at: datetime = strawberry.field(description="When the document was changed last.")
    proposal: ProgrammeProposal | None = strawberry.field(description="What was proposed; null while nothing is.")
    version: int | None = strawberry.field(description="The version that it became; null while it has not.")
    ended_by: str | None = strawberry.field(
        description="Who published, approved or discarded it; null while it is worked on."
    )
    ended_at: datetime | None = strawberry.field(description="When it was; null while it is worked on.")
    _outcome: strawberry.Private[asyncio.Task[_Outcome] | None] = None

    @classmethod
    def of(cls, row: ProgrammeDraftRow) -> "ProgrammeDraft":
        proposal = None
        if row.proposer is not None and row.proposed_at is not None:
            proposal = ProgrammeProposal(
                proposed_by=row.proposer,
                proposed_at=row.proposed_at,
                reason=row.proposed_reason or "",
                starts_at=row.proposed_start,
            )
        return cls(
            id=global_id("ProgrammeDraft", row.id),
            title=row.title,
            document=row.document,
            based_on=row.based_on,
            revision=row.revision,
            state=ProgrammeDraftState(row.state),
            author=row.author,
            created_at=row.created_at,
            edited_by=row.editor,
            edited_at=row.edited_at,
            proposal=proposal,
            version=row.version,
            ended_by=row.ended_by,
            ended_at=row.ended_at,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "ProgrammeDraft | None":
        match parts:
            case (id,) if caller_of(info).role in _READING:
                row = await ProgrammeDraftRow.get_or_none(id=id)
                return None if row is None else cls.of(row)
            case _:
                return None

    @strawberry.field
    async def problems(self, info: Info) -> list[ProgrammeProblem]:
        """What stands in the way of publishing it; empty when nothing does."""
        _, found = await self._checked(info)
        return [ProgrammeProblem(path=one.path, message=one.message, line=one.line, column=one.column) for one in found]

    @strawberry.field
    async def programme(self, info: Info) -> DraftedProgramme | None:
        """The programme that it would be; null while the document has problems."""
        programme, _ = await self._checked(info)
        return None if programme is None else DraftedProgramme.of(programme)

    @strawberry.field
    async def core_rule_warning(self, info: Info) -> CoreRuleWarning | None:
        """That core rules would change more than once in the quarter in which it would begin; null if not.

        It would begin when it was proposed to, or now.
        """
        start = self.proposal.starts_at if self.proposal else None
        programme, _ = await self._checked(info)
        if programme is None or self.state in (ProgrammeDraftState.PUBLISHED, ProgrammeDraftState.DISCARDED):
            return None
        return await core_rule_warning(info, programme, start or info.context.now)

    async def _checked(self, info: Info) -> _Outcome:
        """The programme that it would be, or the problems in its way; read once for all fields that ask."""
        if self._outcome is None:
            self._outcome = asyncio.create_task(_read(info, self.document))
        return await asyncio.shield(self._outcome)


async def _read(info: Info, document: str) -> _Outcome:
    try:
        return await info.context.laurel.load(document), ()
    except ProgrammeInvalid as invalid:
        return None, invalid.problems


# -- asking --------------------------------------------------------------------------------------------


@strawberry.type
class DraftQueries:
    """What can be asked about drafts."""

    @query(allow=_READERS)
    async def programme_draft(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]
    ) -> ProgrammeDraft | None:
        """A draft of the programme by its id; null when there is none."""
        (named,) = parts_of(id, "ProgrammeDraft", 1)
        return await ProgrammeDraft.resolve_node(info, named)

    @query(allow=_READERS)
    @paged
    async def programme_drafts(
        self,
        info: Info,
        page: Page,
        state: Annotated[
            ProgrammeDraftState | None, strawberry.argument(description="Only those that stand there; all if left out.")
        ] = None,
    ) -> Connection[ProgrammeDraft]:
        """The drafts of the programme, the newest first."""
        where = [] if state is None else [Where("state = ?", (state.value,))]
        return await page_of_all(
            info, ProgrammeDraftRow, lambda _, row: ProgrammeDraft.of(row), page, newest("id"), where
        )


# -- changing ------------------------------------------------------------------------------------------


@strawberry.input
class CreateProgrammeDraftInput:
    """A draft to begin: from the version in force, from another version, or from a document."""

    title: str = strawberry.field(description="What it is about, 1 to 200 characters.")
    version: int | None = strawberry.field(
        default=None, description="The version to begin from; the one in force if left out."
    )
    document: str | None = strawberry.field(
        default=None, description="The document to begin from instead of a version's: YAML."
    )
    reason: str | None = strawberry.field(default=None, description="Why, for the audit log.")


@strawberry.input
class ReplaceProgrammeDraftInput:
    """A document to put in the place of a draft's."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    document: str = strawberry.field(description="The whole document: YAML. It may have problems still.")
    title: str | None = strawberry.field(default=None, description="What it is about by now; it stays if left out.")
    reason: str | None = strawberry.field(default=None, description="Why, for the audit log.")


@strawberry.input
class DiscardProgrammeDraftInput:
    """A draft to leave."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    reason: str = strawberry.field(description="Why. It is kept in the audit log.")


@strawberry.input
class PublishProgrammeDraftInput:
    """A draft to publish."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    reason: str = strawberry.field(description=_REASON)
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when it judges; now if left out. Not in the past."
    )
    based_on: int | None = strawberry.field(default=None, description=_BASED_ON)


@strawberry.input
class ProposeProgrammeDraftInput:
    """A draft to lay before a second person."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    reason: str = strawberry.field(description="Why it shall be published, 3 to 1000 characters.")
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when it shall judge; as soon as it is approved if left out."
    )


@strawberry.input
class ApproveProgrammeDraftInput:
    """A proposed draft to publish, as the second person."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    reason: str | None = strawberry.field(default=None, description="What you have to say, for the audit log.")
    based_on: int | None = strawberry.field(default=None, description=_BASED_ON)


@strawberry.type
class CreateProgrammeDraftPayload:
    """What became of the request to begin a draft."""

    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class ReplaceProgrammeDraftPayload:
    """What became of the request to replace a draft's document."""

    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class DiscardProgrammeDraftPayload:
    """What became of the request to discard a draft."""

    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class ProposeProgrammeDraftPayload:
    """What became of a proposal."""

    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class PublishProgrammeDraftPayload:
    """What became of the request to publish a draft."""

    programme: Programme | None = strawberry.field(default=None, description="The new version; null when refused.")
    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    core_rule_warning: CoreRuleWarning | None = strawberry.field(default=None, description=WARNING)
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class ApproveProgrammeDraftPayload:
    """What became of the request to approve a draft."""

    programme: Programme | None = strawberry.field(default=None, description="The new version; null when refused.")
    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    core_rule_warning: CoreRuleWarning | None = strawberry.field(default=None, description=WARNING)
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class DraftMutations:
    """What can be done about drafts."""

    @mutation(allow={Role.OPERATOR})
    async def create_programme_draft(self, info: Info, input: CreateProgrammeDraftInput) -> CreateProgrammeDraftPayload:
        """Begin a draft of the programme. VERSION_NOT_FOUND, PROGRAMME_NOT_FOUND where none is in force yet."""
        title = check_text("title", input.title.strip())
        if input.document is not None:
            if input.version is not None:
                raise InvalidValue(
                    field="document", reason="a draft begins from a version or from a document, not both"
                )
            newest_version = (await info.context.programmes()).newest
            document, based_on = _document(input.document), newest_version
        else:
            number = (await info.context.version()).number if input.version is None else input.version
            document, based_on = (await drafting.find_version(number)).document, number
        row = await drafting.begin_draft(hand(info), title=title, document=document, based_on=based_on)
        info.context.wrote()
        return CreateProgrammeDraftPayload(draft=ProgrammeDraft.of(row))

    @mutation(allow={Role.OPERATOR})
    async def replace_programme_draft(
        self, info: Info, input: ReplaceProgrammeDraftInput
    ) -> ReplaceProgrammeDraftPayload:
        """Put another document in the place of a draft's, as a whole. DRAFT_CHANGED when somebody was faster."""
        document = _document(input.document)
        title = None if input.title is None else check_text("title", input.title.strip())
        row = await drafting.change_draft(
            hand(info), id_of(input.draft), input.revision, lambda _: document, title=title
        )
        info.context.wrote()
        return ReplaceProgrammeDraftPayload(draft=ProgrammeDraft.of(row))

    @mutation(allow={Role.OPERATOR})
    async def discard_programme_draft(
        self, info: Info, input: DiscardProgrammeDraftInput
    ) -> DiscardProgrammeDraftPayload:
        """Leave a draft: it can be read and is not changed any more."""
        row = await drafting.discard_draft(hand(info), id_of(input.draft), input.revision)
        info.context.wrote()
        return DiscardProgrammeDraftPayload(draft=ProgrammeDraft.of(row))

    @mutation(allow={Role.OPERATOR})
    async def publish_programme_draft(
        self, info: Info, input: PublishProgrammeDraftInput
    ) -> PublishProgrammeDraftPayload:
        """Publish a draft as a new version of the programme, just as you saw it.

        PROGRAMME_INVALID lists every problem. DRAFT_CHANGED when somebody has changed it meanwhile, DRAFT_OUTDATED when
        a version was published since the one it began from, SECOND_PERSON_NEEDED where nobody publishes alone.
        """
        not_alone(info)
        version, row = await drafting.publish_draft(
            hand(info),
            id_of(input.draft),
            input.revision,
            reason=input.reason,
            starts_at=input.starts_at,
            based_on=input.based_on,
            load=info.context.laurel.load,
        )
        programme = await published(info, version)
        return PublishProgrammeDraftPayload(
            programme=programme,
            draft=ProgrammeDraft.of(row),
            core_rule_warning=await warning_of_version(info.context.laurel.programmes.versions, version),
        )

    @mutation(allow={Role.OPERATOR})
    async def propose_programme_draft(
        self, info: Info, input: ProposeProgrammeDraftInput
    ) -> ProposeProgrammeDraftPayload:
        """Lay a draft before a second person, who publishes it with approveProgrammeDraft. PROGRAMME_INVALID."""
        row = await drafting.propose_draft(
            hand(info),
            id_of(input.draft),
            input.revision,
            reason=input.reason,
            starts_at=input.starts_at,
            load=info.context.laurel.load,
        )
        info.context.wrote()
        return ProposeProgrammeDraftPayload(draft=ProgrammeDraft.of(row))

    @mutation(allow={Role.OPERATOR})
    async def approve_programme_draft(
        self, info: Info, input: ApproveProgrammeDraftInput
    ) -> ApproveProgrammeDraftPayload:
        """Publish a proposed draft as the second person: exactly the revision that was proposed.

        Whoever has begun, changed or proposed it cannot, nor with an API key of their making: APPROVER_IS_EDITOR. It
        begins when it was proposed to, which must not have passed.
        """
        version, row = await drafting.approve_draft(
            hand(info),
            id_of(input.draft),
            input.revision,
            based_on=input.based_on,
            load=info.context.laurel.load,
        )
        programme = await published(info, version)
        return ApproveProgrammeDraftPayload(
            programme=programme,
            draft=ProgrammeDraft.of(row),
            core_rule_warning=await warning_of_version(info.context.laurel.programmes.versions, version),
        )


def not_alone(info: Info) -> None:
    """Raise SecondPersonNeeded where nobody publishes alone."""
    if info.context.laurel.settings.publish_by_two:
        raise SecondPersonNeeded


async def published(info: Info, version: Version) -> Programme:
    """The version just published, known to this process from now on."""
    await info.context.laurel.programmes.refresh(info.context.reader)
    info.context.wrote()
    return Programme.of(version)


def hand(info: Info) -> Hand:
    return Hand(actor=actor(info), clock=info.context.laurel.clock, behind=caller_of(info).made_by)


def id_of(draft: ID) -> str:
    (named,) = parts_of(draft, "ProgrammeDraft", 1)
    return named


def _document(text: str) -> str:
    if NUL in text:
        raise InvalidValue(field="document", reason="it holds the character U+0000")
    return text
