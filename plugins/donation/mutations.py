"""Donations in the schema: the projects with how far they are, and giving points to one."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, cast

import strawberry

from core.books.members import Frozen
from core.books.tallies import Tally
from core.engine.operations import Outcome
from core.errors import MemberNotFound, Refusal
from core.store.questions import Rows
from graph.vocabulary import (
    ACTING,
    ID,
    Connection,
    Info,
    Member,
    MemberByInput,
    Node,
    Page,
    Payload,
    Points,
    Role,
    Transaction,
    UserError,
    actor,
    find_member,
    global_id,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
    query,
    user_error,
)

from .models import Donation, DonationPot
from .operations import DonatePoints
from .refusals import DonationsNotOffered
from .rules import CHANNEL, DonationSettings, Project

_PROJECT = "The project's id in the programme."
_RATIO_PLACES: Final = Decimal("0.0001")
# The names that begin with the channel's and a colon; a pattern's % would be read as a value's place by one driver.
_TALLIES = f"name > '{CHANNEL}:' AND name < '{CHANNEL};'"

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class DonatePointsInput:
    """Points to give to a project."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    project: str = strawberry.field(description=_PROJECT)
    points: Points = strawberry.field(description="How many.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.type
class DonationProject:
    """Something to give points to, and how far it is."""

    id: ID = strawberry.field(description=_PROJECT)
    title: str = strawberry.field(description="Its title.")
    goal: Points = strawberry.field(description="How many points it needs.")
    raised: Points = strawberry.field(description="How many it has, with what the brand has added.")
    added: Points = strawberry.field(description="What of them the brand has added.")
    ratio: Decimal = strawberry.field(
        description="raised / goal, rounded down to four places, for a progress bar; more than 1 beyond the goal."
    )
    donors: int = strawberry.field(description="How many members have given.")
    mine: Points | None = strawberry.field(description="What the member has given; null when no member was named.")
    match: Decimal = strawberry.field(description="What the brand adds for each point, as far as the goal needs it.")
    least: Points = strawberry.field(description="The fewest points that can be given now.")
    most: Points | None = strawberry.field(description="The most that can be given now; null when there is no end.")
    opens_at: datetime | None = strawberry.field(description="From when on it takes points; null for always.")
    closes_at: datetime | None = strawberry.field(description="From when on it takes none; null for never.")
    refusal: UserError | None = strawberry.field(
        description="Why nothing could be given now, by this member; null when something could."
    )


@strawberry.type(name="Donation")
class DonationNode(Node):
    """Points that a member has given."""

    project: str = strawberry.field(description=_PROJECT)
    title: str = strawberry.field(description="The project's title when they were given.")
    points: Points = strawberry.field(description="How many, without what an operator has given back.")
    added: Points = strawberry.field(description="What the brand has added.")
    donated_at: datetime = strawberry.field(description="When they were given.")
    _member_id: strawberry.Private[str]
    _donation_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "DonationNode":
        return cls(
            id=global_id("Donation", member_id, row.donation_id),
            project=row.project,
            title=row.title,
            points=Points(row.points),
            added=Points(row.added),
            donated_at=row.donated_at,
            _member_id=member_id,
            _donation_id=row.donation_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, donation_id: str) -> "DonationNode | None":
        """A member's donation by Laurel's id."""
        found = await info.context.loaders.rows(Donation, member_id, donation_id=donation_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "DonationNode | None":
        match parts:
            case (member_id, donation_id) if may_see(info, member_id):
                return await cls.find(info, member_id, donation_id)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that spent the points."""
        return await Transaction.find(info, self._member_id, self._donation_id)


@strawberry.type
class DonatePointsPayload(Payload):
    """What became of a donation."""

    donation: DonationNode | None = strawberry.field(
        default=None, description="The donation as it is now; null when it was refused."
    )
    project: DonationProject | None = strawberry.field(
        default=None, description="The project as it is now; null when it was refused, or is no longer offered."
    )


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class DonationQueries:
    """What can be asked about donations."""

    @query(allow={*ACTING, Role.ANALYST})
    async def donation_projects(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="For whom; a member's own token asks for its member."),
        ] = None,
    ) -> list[DonationProject]:
        """The projects of the programme in force, in the programme's order, with those that are not open or reached."""
        settings = await _settings(info)
        if settings is None:
            raise DonationsNotOffered(at=info.context.now)
        visitor = await _visitor(info, member)
        return [await _project(info, project, visitor) for project in settings.projects]


@strawberry.type
class DonationMutations:
    """What can be done about donations."""

    @mutation(allow=ACTING)
    async def donate_points(self, info: Info, input: DonatePointsInput) -> DonatePointsPayload:
        """Give points to a project."""
        operation = DonatePoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            project=input.project,
            points=input.points,
        )
        return await perform(info, operation, DonatePointsPayload, lambda outcome: _donated(info, outcome))


@strawberry.type
class DonationMemberFields:
    """What a member has of donations."""

    @strawberry.field
    @paged
    async def donations(self, info: Info, page: Page) -> Connection[DonationNode]:
        """What the member has given, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> DonationNode:
            return DonationNode.of(member_id, row)

        return await page_of_member(info, Donation, member_id, node, page, newest("donation_id"))


# -- how it is found ----------------------------------------------------------------------------------


async def _settings(info: Info) -> DonationSettings | None:
    settings = (await info.context.version()).programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, DonationSettings)
    return settings


async def _visitor(info: Info, by: MemberByInput | None) -> Member | None:
    caller = info.context.caller
    if by is not None:
        member = await find_member(info, by)
        if member is None:
            raise MemberNotFound(member=by.id or by.external_id or "")
        return member
    if caller is not None and caller.role is Role.MEMBER:
        return await Member.find(info, caller.member_id or "")
    return None


async def _project(info: Info, project: Project, visitor: Member | None) -> DonationProject:
    pots = await info.context.loaders.ask(Rows(DonationPot, ("project",)), (project.id,))
    donated, added, donors = (pots[0].donated, pots[0].added, pots[0].donors) if pots else (0, 0, 0)
    raised = donated + added
    mine = refusal = None
    if visitor is not None:
        tallies: list[Tally] = await info.context.loaders.rows(Tally, visitor.member_id, _TALLIES)
        mine = sum(tally.amount for tally in tallies if tally.name == project.tally)
    try:
        project.check_open(info.context.now, raised)
        if visitor is not None:
            visitor._value.check_may(Frozen.SPENDING)
    except Refusal as refused:
        refusal = user_error(info, refused)
    most = project.left(raised)
    return DonationProject(
        id=ID(project.id),
        title=project.title,
        goal=Points(project.goal),
        raised=Points(raised),
        added=Points(added),
        ratio=Decimal(raised * 10_000 // project.goal) * _RATIO_PLACES,
        donors=donors,
        mine=None if mine is None else Points(mine),
        match=project.match,
        least=Points(project.least_now(raised)),
        most=None if most is None else Points(most),
        opens_at=project.valid.since,
        closes_at=project.valid.until,
        refusal=refusal,
    )


async def _donated(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    settings = await _settings(info)
    project = settings.by_id.get(outcome.result["project"]) if settings else None
    visitor = await Member.find(info, outcome.member_id)
    return {
        "donation": await DonationNode.find(info, outcome.member_id, outcome.result["donation"]),
        "project": await _project(info, project, visitor) if project else None,
    }
