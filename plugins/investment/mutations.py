"""Investments in the schema: the projects with how far they are, staking points, and settling a project."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, NamedTuple, cast

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from core.errors import InvalidInput, MemberNotFound, Refusal
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
    Where,
    actor,
    check_text,
    find_member,
    global_id,
    may_see,
    mutation,
    newest,
    oldest,
    page_of_all,
    page_of_member,
    paged,
    parts_of,
    perform,
    query,
    user_error,
)

from .models import InvestmentPot, Stake
from .operations import (
    CANCELLED,
    OPEN,
    REVERSED,
    CancelStake,
    PayBack,
    StakePoints,
    check_unsettled,
    project_of,
)
from .refusals import (
    InvestmentClosed,
    InvestmentNotYetOpen,
    InvestmentProjectNotFound,
    InvestmentSettled,
    InvestmentsNotOffered,
    InvestmentStillOpen,
    InvestmentWithoutStakes,
    StakeNotFound,
    StakeNotOpen,
)
from .rules import CHANNEL, FAILED, SUCCEEDED, InvestmentSettings, Project

_PROJECT = "The project's id in the programme."
_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
# How many stakes are paid back at once. The first alone: what the project does not allow is then refused once, and not
# for every member.
_PAGES: Final = (1, 99, 100, 100, 100, 100)
# The key of a stake's own operation is the request's, a colon, and a UUID.
_KEY_MAX: Final = 160

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.enum
class InvestmentOutcome(Enum):
    """How a project has ended."""

    SUCCEEDED = strawberry.enum_value(SUCCEEDED, description="Stakes come back with what was promised on success.")
    FAILED = strawberry.enum_value(FAILED, description="Of the stakes comes back what was promised on failure.")


@strawberry.enum
class InvestmentState(Enum):
    """How a project stands."""

    NOT_YET_OPEN = strawberry.enum_value("not_yet_open", description="It takes points only later.")
    OPEN = strawberry.enum_value("open", description="It takes points.")
    GOAL_REACHED = strawberry.enum_value("goal_reached", description="It has all that it needs, and is not settled.")
    CLOSED = strawberry.enum_value("closed", description="Its time is over, and it is not settled.")
    SUCCEEDED = strawberry.enum_value(SUCCEEDED, description="It was settled as a success.")
    FAILED = strawberry.enum_value(FAILED, description="It was settled as a failure.")


@strawberry.enum
class StakeState(Enum):
    """What became of a stake."""

    OPEN = strawberry.enum_value(OPEN, description="It waits for the project.")
    CANCELLED = strawberry.enum_value(CANCELLED, description="The member has taken it away.")
    REVERSED = strawberry.enum_value(REVERSED, description="An operator has taken it back.")
    SUCCEEDED = strawberry.enum_value(SUCCEEDED, description="The project succeeded, and it was paid back.")
    FAILED = strawberry.enum_value(FAILED, description="The project failed, and what was promised came back.")


@strawberry.input
class StakePointsInput:
    """Points to stake on a project."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    project: str = strawberry.field(description=_PROJECT)
    points: Points = strawberry.field(description="How many.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CancelStakeInput:
    """A stake to take away."""

    stake: ID = strawberry.field(description="The stake's id.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class SettleInvestmentInput:
    """A project that has ended."""

    project: str = strawberry.field(description=_PROJECT)
    outcome: InvestmentOutcome = strawberry.field(description="How it has ended. It cannot be changed afterwards.")
    reason: str = strawberry.field(
        description="Why, 3 to 1000 characters. It is kept with every stake that is paid back."
    )
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 160 characters. Whatever the key, no stake is paid back "
        "twice."
    )


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.type
class InvestmentProject:
    """Something to stake points on, and how far it is."""

    id: ID = strawberry.field(description=_PROJECT)
    title: str = strawberry.field(description="Its title.")
    goal: Points = strawberry.field(description="How many points it needs, and takes.")
    raised: Points = strawberry.field(description="How many were staked on it, and not taken away again.")
    mine: Points | None = strawberry.field(
        description="What the member has staked on it and was not paid back yet; null when no member was named."
    )
    least: Points = strawberry.field(description="The fewest points of one member.")
    most: Points | None = strawberry.field(description="The most points of one member; null when there is no limit.")
    success: Decimal = strawberry.field(description="What comes back for each point when it succeeds.")
    failure: Decimal = strawberry.field(description="What comes back for each point when it fails.")
    cancellable: bool = strawberry.field(description="Whether members may take their stakes away while it is open.")
    opens_at: datetime | None = strawberry.field(description="From when on it takes points; null for always.")
    closes_at: datetime = strawberry.field(description="From when on it takes none.")
    state: InvestmentState = strawberry.field(description="How it stands.")
    settled_at: datetime | None = strawberry.field(description="When it was settled; null when it was not.")
    waiting: int = strawberry.field(description="How many stakes have not been paid back.")


@strawberry.type
class InvestmentStake(Node):
    """Points that a member has staked."""

    project: str = strawberry.field(description=_PROJECT)
    title: str = strawberry.field(description="The project's title when they were staked.")
    points: Points = strawberry.field(description="How many, without what an operator took back before the end.")
    success: Decimal = strawberry.field(description="What was promised for each point on success.")
    failure: Decimal = strawberry.field(description="What was promised for each point on failure.")
    state: StakeState = strawberry.field(description="What became of them.")
    paid_back: Points = strawberry.field(description="How many of them went back to where they were taken from.")
    gained: Points = strawberry.field(description="How many new ones came with them.")
    staked_at: datetime = strawberry.field(description="When they were staked.")
    ended_at: datetime | None = strawberry.field(description="When that ended; null while they wait.")
    _member_id: strawberry.Private[str]
    _stake_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "InvestmentStake":
        return cls(
            id=global_id("InvestmentStake", member_id, row.stake_id),
            project=row.project,
            title=row.title,
            points=Points(row.points),
            success=Decimal(row.success),
            failure=Decimal(row.failure),
            state=StakeState(row.state),
            paid_back=Points(row.paid_back),
            gained=Points(row.gained),
            staked_at=row.staked_at,
            ended_at=row.ended_at,
            _member_id=member_id,
            _stake_id=row.stake_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, stake_id: str) -> "InvestmentStake | None":
        """A member's stake by Laurel's id."""
        found = await info.context.loaders.rows(Stake, member_id, stake_id=stake_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "InvestmentStake | None":
        match parts:
            case (member_id, stake_id) if may_see(info, member_id):
                return await cls.find(info, member_id, stake_id)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that took the points."""
        return await Transaction.find(info, self._member_id, self._stake_id)


@strawberry.type
class StakePointsPayload(Payload):
    """What became of staking points."""

    stake: InvestmentStake | None = strawberry.field(
        default=None, description="The stake as it is now; null when it was refused."
    )
    project: InvestmentProject | None = strawberry.field(
        default=None, description="The project as it is now; null when it was refused, or is no longer offered."
    )


@strawberry.type
class CancelStakePayload(Payload):
    """What became of taking a stake away."""

    stake: InvestmentStake | None = strawberry.field(
        default=None, description="The stake as it is now; null when it was refused."
    )


@strawberry.type
class SettleInvestmentPayload:
    """How far the settlement of a project is."""

    settled: int = strawberry.field(default=0, description="How many stakes this request has paid back, 500 at most.")
    waiting: int = strawberry.field(
        default=0,
        description="How many still wait: ask again until there is none, with another key for those that were refused.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused, or stakes were left waiting; empty when all went well."
    )


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class InvestmentQueries:
    """What can be asked about investments."""

    @query(allow={*ACTING, Role.ANALYST})
    async def investment_projects(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="For whom; a member's own token asks for its member."),
        ] = None,
    ) -> list[InvestmentProject]:
        """The projects of the programme in force, in the programme's order, with those that are over."""
        settings = (await info.context.version()).programme.channels.get(CHANNEL)
        if settings is None:
            raise InvestmentsNotOffered(at=info.context.now)
        assert isinstance(settings, InvestmentSettings)
        visitor = await _visitor(info, member)
        return [await _project(info, project, visitor) for project in settings.projects]


@strawberry.type
class InvestmentMutations:
    """What can be done about investments."""

    @mutation(allow=ACTING)
    async def stake_points(self, info: Info, input: StakePointsInput) -> StakePointsPayload:
        """Stake points on a project."""
        operation = StakePoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            project=input.project,
            points=input.points,
        )
        return await perform(info, operation, StakePointsPayload, lambda outcome: _staked(info, outcome))

    @mutation(allow=ACTING)
    async def cancel_stake(self, info: Info, input: CancelStakeInput) -> CancelStakePayload:
        """Take a stake away while the project is open, where the programme allows it."""
        member_id, stake_id = parts_of(input.stake, "InvestmentStake", 2)
        if not may_see(info, member_id):
            raise StakeNotFound(stake=input.stake)
        operation = CancelStake(
            member=ById(member_id), idempotency_key=input.idempotency_key, actor=actor(info), stake=stake_id
        )

        async def cancelled(outcome: Outcome) -> Mapping[str, Any]:
            return {"stake": await InvestmentStake.find(info, member_id, stake_id)}

        return await perform(info, operation, CancelStakePayload, cancelled)

    @mutation(allow={Role.OPERATOR})
    async def settle_investment(self, info: Info, input: SettleInvestmentInput) -> SettleInvestmentPayload:
        """Say how a project has ended, and pay its stakes back, up to 500 of them.

        It decides for the stakes that are left over too. Ask again until none waits, also when the answer was lost.
        """
        check_text("idempotencyKey", input.idempotency_key, _KEY_MAX)
        check_text("reason", input.reason, 1_000)
        check_text("project", input.project, 64)
        return await _settle(info, input)


@strawberry.type
class InvestmentMemberFields:
    """What a member has of investments."""

    @strawberry.field
    @paged
    async def stakes(self, info: Info, page: Page) -> Connection[InvestmentStake]:
        """What the member has staked, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> InvestmentStake:
            return InvestmentStake.of(member_id, row)

        return await page_of_member(info, Stake, member_id, node, page, newest("stake_id"))


# -- settling -----------------------------------------------------------------------------------------


_OF_THE_PROJECT: Final = (InvestmentStillOpen, InvestmentSettled, InvalidInput)
"""What is refused of one stake for a reason that holds for all of them."""


class _Waiting(NamedTuple):
    """A stake that was not paid back."""

    member_id: str
    stake_id: str


async def _settle(info: Info, input: SettleInvestmentInput) -> SettleInvestmentPayload:
    """Pay back some of the stakes that wait. Each is an operation of its own, so nothing is lost half-way."""
    outcome = str(input.outcome.value)
    settled, errors, after = 0, dict[str, Refusal](), None
    for size in _PAGES:
        waiting = await _waiting(info, input.project, Page(size, after))
        if not waiting.nodes:
            if after is None:
                await _check_nothing_waits(info, input.project, outcome)
            break
        after = waiting.cursors.of(-1)
        operations = [
            PayBack(
                member=ById(stake.member_id),
                idempotency_key=f"{input.idempotency_key}:{stake.stake_id}",
                actor=actor(info),
                stake=stake.stake_id,
                outcome=outcome,
                reason=input.reason,
            )
            for stake in waiting.nodes
        ]
        for done in await info.context.laurel.committer.submit_many(operations):
            if isinstance(done, BaseException):
                raise done  # what was done stays done; asked again, it goes on
            settled += done.accepted and not done.replayed
            # Somebody else who settles the same project may have been faster.
            if done.refusal is not None and not isinstance(done.refusal, StakeNotOpen):
                errors.setdefault(done.refusal.message, done.refusal)
        if any(isinstance(refusal, _OF_THE_PROJECT) for refusal in errors.values()):
            break
    info.context.wrote()
    pot = await _pot(info, input.project)
    return SettleInvestmentPayload(
        settled=settled, waiting=pot.waiting, errors=[user_error(info, refusal) for refusal in errors.values()]
    )


async def _waiting(info: Info, project: str, page: Page) -> Connection[_Waiting]:
    def node(member_id: str, row: Any) -> _Waiting:
        return _Waiting(member_id, row.stake_id)

    where = [Where("project = ? AND state = ?", (project, OPEN))]
    return await page_of_all(info, Stake, node, page, oldest("stake_id"), where)


async def _check_nothing_waits(info: Info, project: str, outcome: str) -> None:
    """Nobody is to be paid back: raise a refusal unless that is so because the project has ended just so."""
    pot = await _pot(info, project)
    if pot is None and project_of((await info.context.version()).programme.channels, project) is None:
        raise InvestmentProjectNotFound(project=project)
    if pot is None or pot.outcome is None:
        raise InvestmentWithoutStakes(project=project)
    if pot.outcome != outcome:
        check_unsettled(pot)


# -- how it is found ----------------------------------------------------------------------------------


async def _pot(info: Info, project: str) -> Any:
    pots = await info.context.loaders.ask(Rows(InvestmentPot, ("project",)), (project,))
    return pots[0] if pots else None


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


async def _project(info: Info, project: Project, visitor: Member | None) -> InvestmentProject:
    pot = await _pot(info, project.id)
    mine = None
    if visitor is not None:
        stakes: list[Any] = await info.context.loaders.rows(Stake, visitor.member_id, state=OPEN)
        mine = Points(sum(stake.points for stake in stakes if stake.project == project.id))
    return InvestmentProject(
        id=ID(project.id),
        title=project.title,
        goal=Points(project.goal),
        raised=Points(pot.staked if pot else 0),
        mine=mine,
        least=Points(project.least),
        most=None if project.most is None else Points(project.most),
        success=project.success,
        failure=project.failure,
        cancellable=project.cancellable,
        opens_at=project.window.since,
        closes_at=project.closes_at,
        state=_state(project, pot, info.context.now),
        settled_at=pot.settled_at if pot else None,
        waiting=pot.waiting if pot else 0,
    )


def _state(project: Project, pot: Any, at: datetime) -> InvestmentState:
    if pot is not None and pot.outcome is not None:
        return InvestmentState(pot.outcome)
    try:
        project.check_open(at)
    except InvestmentNotYetOpen:
        return InvestmentState.NOT_YET_OPEN
    except InvestmentClosed:
        return InvestmentState.CLOSED
    reached = pot is not None and pot.staked >= project.goal
    return InvestmentState.GOAL_REACHED if reached else InvestmentState.OPEN


async def _staked(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    project = project_of((await info.context.version()).programme.channels, outcome.result["project"])
    visitor = await Member.find(info, outcome.member_id)
    return {
        "stake": await InvestmentStake.find(info, outcome.member_id, outcome.result["stake"]),
        "project": await _project(info, project, visitor) if project else None,
    }
