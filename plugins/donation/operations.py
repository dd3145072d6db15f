"""Giving points to a project. Its pot is a row that members share, claimed after all that can be refused without it."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidAmount
from core.telling.events import TRANSACTION_REVERSED, Event
from core.units import AMOUNT_MAX, POINTS

from .models import Donation, DonationPot
from .refusals import DonationProjectNotFound, DonationsNotOffered
from .rules import CHANNEL, DonationSettings, Project

DONATED: Final = "points_donated"
"""The tally of the points given to all projects together."""

DONATION_MADE: Final = "donation.made"
DONATION_GOAL_MET: Final = "donation.goal_met"


@dataclass(frozen=True, kw_only=True)
class DonatePoints(Operation):
    """Give points to a project.

    Refuses DonationProjectNotFound, DonationNotYetOpen, DonationClosed, DonationTooSmall, DonationGoalReached,
    InsufficientPoints, InvalidAmount, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "donate"

    project: str
    points: int

    async def perform(self, work: Work) -> dict[str, Any]:
        project = self._project(work)
        await work.spend(self.points)
        new_donor = await work.counted(project.tally) <= 0
        pot = await work.shared(DonationPot, project=project.id)
        raised = pot.donated + pot.added if pot else 0
        project.check_open(work.now, raised)
        project.check_points(self.points, raised)
        added = project.added(self.points, raised)
        if pot is None:
            work.add(DonationPot, project=project.id, donated=self.points, added=added, donors=1)
        else:
            pot.donated += self.points
            pot.added += added
            pot.donors += new_donor
            work.save(pot)
        work.add(
            Donation,
            donation_id=work.operation_id,
            project=project.id,
            title=project.title,
            points=self.points,
            added=added,
            donated_at=work.now,
        )
        work.count(project.tally, self.points)
        work.count(DONATED, self.points)
        work.tell(DONATION_MADE, donation=work.operation_id, project=project.id, points=self.points, added=added)
        if raised < project.goal <= raised + self.points + added:
            work.tell(DONATION_GOAL_MET, project=project.id, goal=project.goal)
        return {"donation": work.operation_id, "project": project.id, "points": self.points, "added": added}

    def _project(self, work: Work) -> Project:
        """The project, if it takes points now and may take these. Only its pot can still say otherwise."""
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise DonationsNotOffered(at=work.now)
        assert isinstance(settings, DonationSettings)
        project = settings.by_id.get(self.project)
        if project is None:
            raise DonationProjectNotFound(project=self.project[:64])
        if not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")
        work.check_may_spend()
        project.check_open(work.now, 0)
        return project


async def follow_reversal(event: Event, work: Work) -> None:
    """What an operator gives back of a donation leaves the pot, and what the brand had added for it."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    donation = await work.find(Donation, donation_id=payload["transaction"])
    assert donation is not None, "only donations can be reversed in this channel"
    # What else the transaction brought, of a quest perhaps, is taken in the same stroke; only a part counts on balance.
    back = donation.points if payload["whole"] else max(payload["amounts"].get(POINTS, 0), 0)
    if not back:
        return
    left = donation.points - back
    # The brand's part shrinks with the member's, rounded as it was: down.
    added = donation.added * left // donation.points
    work.count(f"{CHANNEL}:{donation.project}", -back, at=donation.donated_at)
    work.count(DONATED, -back, at=donation.donated_at)
    gone = await work.counted(f"{CHANNEL}:{donation.project}") <= 0
    pot = await work.shared(DonationPot, project=donation.project)
    assert pot is not None, "what was given has been counted"
    pot.donated -= back
    pot.added -= donation.added - added
    pot.donors -= gone
    work.save(pot)
    donation.points, donation.added = left, added
    work.save(donation)
