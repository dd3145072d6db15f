"""Points are staked on a project, and paid back: once, when it is settled, or before that when they are taken away.

What has been staked is spent, with the lots remembered, and what is paid back goes to those lots. A project is settled
by an operation for each stake. The first of them decides how it ended, in the project's pot, and all others are held to
that; a settlement that was interrupted goes on with the stakes that still wait.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from core.books.accounts import Contra
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidAmount, InvalidValue
from core.people.membership import check_reason
from core.telling.events import TRANSACTION_REVERSED, Event
from core.units import AMOUNT_MAX, POINTS

from .models import InvestmentPot, Stake
from .refusals import (
    InvestmentProjectNotFound,
    InvestmentSettled,
    InvestmentsNotOffered,
    InvestmentStillOpen,
    StakeNotCancellable,
    StakeNotFound,
    StakeNotOpen,
)
from .rules import CHANNEL, FAILED, SUCCEEDED, InvestmentSettings, Project, paid_back

OPEN: Final = "open"
CANCELLED: Final = "cancelled"
REVERSED: Final = "reversed"

STAKED: Final = "investment.staked"
PAID_BACK: Final = "investment.paid_back"


@dataclass(frozen=True, kw_only=True)
class StakePoints(Operation):
    """Stake points on a project.

    Refuses InvestmentProjectNotFound, InvestmentNotYetOpen, InvestmentClosed, InvestmentSettled, InvestmentTooSmall,
    InvestmentTooLarge, InvestmentGoalReached, InsufficientPoints, InvalidAmount, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "stake"

    project: str
    points: int

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise InvestmentsNotOffered(at=work.now)
        project = project_of(work.programme.channels, self.project)
        if project is None:
            raise InvestmentProjectNotFound(project=self.project[:64])
        if not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")
        work.check_may_spend()
        project.check_open(work.now)
        await work.spend(self.points)
        stakes: list[Any] = await work.rows(Stake, project=project.id, state=OPEN)
        pot = await work.shared(InvestmentPot, project=project.id)
        check_unsettled(pot)
        project.check_points(self.points, sum(stake.points for stake in stakes), pot.staked if pot else 0)
        if pot is None:
            work.add(InvestmentPot, project=project.id, staked=self.points, waiting=1, outcome=None, settled_at=None)
        else:
            pot.staked += self.points
            pot.waiting += 1
            work.save(pot)
        work.add(
            Stake,
            stake_id=work.operation_id,
            project=project.id,
            title=project.title,
            points=self.points,
            success=str(project.success),
            failure=str(project.failure),
            state=OPEN,
            paid_back=0,
            gained=0,
            staked_at=work.now,
            ended_at=None,
        )
        work.tell(STAKED, stake=work.operation_id, project=project.id, points=self.points)
        return {"stake": work.operation_id, "project": project.id, "points": self.points}


@dataclass(frozen=True, kw_only=True)
class CancelStake(Operation):
    """Take a stake away before the project closes, where the programme allows it: its points go back to their lots.

    Refuses StakeNotFound, StakeNotOpen, StakeNotCancellable, InvestmentClosed, InvestmentSettled.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "cancel"
    reaches_merged: ClassVar[bool] = True

    stake: str

    async def perform(self, work: Work) -> dict[str, Any]:
        stake = await _open_stake(work, self.stake)
        project = project_of(work.programme.channels, stake.project)
        if project is None or not project.cancellable:
            raise StakeNotCancellable(project=stake.project)
        project.check_open(work.now)
        pot = await work.shared(InvestmentPot, project=stake.project)
        check_unsettled(pot)
        assert pot is not None, "there is a stake on it"
        stake.paid_back = await work.give_back(stake.stake_id)
        stake.state, stake.ended_at = CANCELLED, work.now
        work.save(stake)
        pot.staked -= stake.points
        pot.waiting -= 1
        work.save(pot)
        return {"stake": stake.stake_id, "project": stake.project, "points": stake.paid_back}


@dataclass(frozen=True, kw_only=True)
class PayBack(Operation):
    """The project has succeeded or failed: pay one stake back, by the terms that held when it was made.

    Refuses StakeNotFound, StakeNotOpen, InvestmentStillOpen, and InvestmentSettled when it has ended otherwise.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "pay_back"
    reaches_merged: ClassVar[bool] = True

    stake: str
    outcome: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        if self.outcome not in {SUCCEEDED, FAILED}:
            raise InvalidValue(field="outcome", reason="a project has succeeded or failed")
        stake = await _open_stake(work, self.stake)
        pot = await work.shared(InvestmentPot, project=stake.project)
        assert pot is not None, "there is a stake on it"
        if pot.outcome is None:
            project = project_of(work.programme.channels, stake.project)
            if project is not None and work.now < project.closes_at and pot.staked < project.goal:
                raise InvestmentStillOpen(project=project.id, closes_at=project.closes_at)
            pot.outcome, pot.settled_at = self.outcome, work.now
        elif pot.outcome != self.outcome:
            check_unsettled(pot)
        own, gained = paid_back(stake.points, self.outcome, Decimal(stake.success), Decimal(stake.failure))
        if own:
            await work.give_back(stake.stake_id, own)
        if gained:
            # It was promised while the member was active, and an operator decides: a frozen member is given it too.
            contra = Contra.ISSUANCE if work.may_earn else Contra.ADJUSTMENT
            await work.earn(gained, contra=contra)
        stake.paid_back, stake.gained = own, gained
        stake.state, stake.ended_at = self.outcome, work.now
        work.save(stake)
        pot.waiting -= 1
        work.save(pot)
        work.tell(PAID_BACK, stake=stake.stake_id, project=stake.project, outcome=self.outcome, points=own + gained)
        return {
            "stake": stake.stake_id,
            "project": stake.project,
            "outcome": self.outcome,
            "points": own,
            "gained": gained,
            "reason": self.reason,
        }


async def follow_reversal(event: Event, work: Work) -> None:
    """What an operator gives back of a stake leaves the project, or was lost with it and is no longer."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    stake = await work.find(Stake, stake_id=payload["transaction"])
    assert stake is not None, "of this channel only stakes can be reversed: all else is a reversal, or moves nothing"
    # What else the transaction brought, of a quest perhaps, is taken in the same stroke; only a part counts on balance.
    left = stake.points - stake.paid_back
    back = left if payload["whole"] else max(payload["amounts"].get(POINTS, 0), 0)
    if not back:
        return
    if stake.state != OPEN:
        stake.paid_back += back
        work.save(stake)
        return
    stake.points -= back
    if not stake.points:
        stake.state, stake.ended_at = REVERSED, work.now
    work.save(stake)
    pot = await work.shared(InvestmentPot, project=stake.project)
    assert pot is not None, "there is a stake on it"
    pot.staked -= back
    pot.waiting -= not stake.points
    work.save(pot)


def project_of(channels: Any, project: str) -> Project | None:
    """A project of the programme whose channels these are."""
    settings = channels.get(CHANNEL)
    assert settings is None or isinstance(settings, InvestmentSettings)
    return settings.by_id.get(project) if settings else None


def check_unsettled(pot: Any) -> None:
    """Raise InvestmentSettled when it has been decided how the project ended."""
    if pot is not None and pot.outcome is not None:
        raise InvestmentSettled(project=pot.project, outcome=pot.outcome, settled_at=pot.settled_at)


async def _open_stake(work: Work, stake_id: str) -> Stake:
    stake = await work.find(Stake, stake_id=stake_id)
    if stake is None:
        raise StakeNotFound(stake=stake_id[:64])
    if stake.state != OPEN:
        raise StakeNotOpen(stake=stake_id, state=stake.state)
    return stake
