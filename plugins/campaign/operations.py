"""What campaigns do when an order is paid, comes back, or is reversed: all in the order's own transaction."""

from collections.abc import Sequence
from typing import Any, Final

from core.books.members import bucket_of
from core.channels import caps
from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.engine.work import Work
from core.rulebook.explaining import Seen
from core.rulebook.programme import Programme
from core.rulebook.rules import NO_CAPS, Activity, CapRoom, Less
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import local_day
from core.units import POINTS

from .models import CampaignBonus, CampaignBudget
from .rules import CHANNEL, Campaign, CampaignSettings, counted

BONUS_GIVEN: Final = "campaign.bonus_given"
BONUS_TAKEN_BACK: Final = "campaign.bonus_taken_back"


async def follow_order(event: Event, work: Work) -> None:
    """Give what campaigns add to an order, and take back what the rest of it is not worth any more."""
    match event.name:
        case name if name == ORDER_PAID:
            await _give(event, work)
        case name if name == ORDER_REFUNDED:
            for row in await _bonuses(work, reference=event.payload["reference"]):
                await _keep(work, row, _rest(work, row, event))
        case name if name == TRANSACTION_REVERSED:
            for row in await _bonuses(work, transaction_id=event.payload["transaction"]):
                await _keep(work, row, row.kept)


async def _give(event: Event, work: Work) -> None:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None or event.activity is None:
        return
    assert isinstance(settings, CampaignSettings)
    order, payload = event.activity, event.payload
    for campaign in settings.open_at(order.at):
        await _give_one(work, campaign, order, payload["reference"], payload["awards"])


async def _give_one(work: Work, campaign: Campaign, order: Activity, reference: str, awards: dict[str, int]) -> None:
    rules, tally = campaign.bonus, f"{CHANNEL}:{campaign.id}"
    room = await caps.room(work, tally, POINTS, rules.caps, local_day(order.at, work.programme.zone))
    award = campaign.award(order, awards, room)
    if not award.uncapped:
        return
    given, cut = award.points, list(award.cut)
    if campaign.budget is not None and given:
        # Of fifty orders that want the last points one gets them.
        granted = await caps.draw_from(work, counted(campaign.id, campaign.terms), given)
        if granted < given:
            cut.append(("budget", given - granted))
        given = granted
    work.attribute(POINTS, award, of=tally, less={Less.BUDGET: award.points - given})
    lots = []
    if given:
        pending = rules.pending.days if rules.pending else 0
        lots.append((await work.earn(given, earned_at=order.at, pending_days=pending)).seq)
        await caps.use(work, tally, POINTS, rules.caps, given, at=order.at)
    work.add(
        CampaignBonus,
        reference=reference,
        campaign=campaign.id,
        transaction_id=work.operation_id,
        occurred_at=order.at,
        worth=award.uncapped,
        given=given,
        kept=given,
        budgeted=campaign.budget is not None,
        cut=cut,
        room=list(room),
        lots=lots,
    )
    work.tell(BONUS_GIVEN, campaign=campaign.id, reference=reference, points=given, cut=cut)


def what_rules_saw(programme: Programme, rows: Sequence[Any], order: Sequence[Seen]) -> Sequence[Seen]:
    """What each campaign saw of an order, those that were not open among them."""
    settings = programme.channels.get(CHANNEL)
    if settings is None or not order:
        return ()
    assert isinstance(settings, CampaignSettings)
    bonuses = {row.campaign: row for row in rows}
    paid = order[0].activity
    awards = {
        unit: rules.award(paid, order[0].rooms.get(unit, NO_CAPS)).points for unit, rules in order[0].rules.items()
    }
    seen = []
    for campaign in settings.campaigns:
        bonus = bonuses.get(campaign.id)
        seen.append(
            Seen(
                campaign.id,
                campaign.activity(paid, awards),
                {POINTS: campaign.bonus},
                {POINTS: CapRoom(*bonus.room)} if bonus else {},
                {POINTS: bonus.given} if bonus else {},
                campaign.valid.holds(paid.at),
            )
        )
    return seen


def _rest(work: Work, row: CampaignBonus, event: Event) -> int:
    """What the rest of the order is worth to the campaign, under the version that judged the order."""
    settings = work.programme.channels.get(CHANNEL)
    if event.activity is None or settings is None:
        return 0
    assert isinstance(settings, CampaignSettings)
    campaign, payload = settings.find(row.campaign), event.payload
    assert campaign is not None, "the version that gave the bonus judges the refund"
    worth = campaign.award(event.activity, payload["awards"], CapRoom(*row.room)).points
    if campaign.refunds == "proportion" and payload["amount"]:
        worth = min(worth, row.given * payload["amount_left"] // payload["amount"])
    return worth


async def _keep(work: Work, row: CampaignBonus, points: int) -> None:
    """Leave the member no more than so many points of a bonus; what an operator has reversed is gone already."""
    await work.take_back(row.lots, keep=points)
    left = await work.left_of(row.lots)
    if taken := row.kept - left:
        row.kept = left
        work.save(row)
        if row.budgeted:
            await _give_back(work, row.campaign, taken)
        work.tell(BONUS_TAKEN_BACK, campaign=row.campaign, reference=row.reference, points=taken)


async def _give_back(work: Work, campaign: str, points: int) -> None:
    """Give points back to the budget of a campaign, whether or not the programme still has it."""
    row = await work.shared(CampaignBudget, campaign=campaign)
    assert row is not None, "what comes back was counted"
    row.used -= points
    work.save(row)


async def _bonuses(work: Work, **by: Any) -> list[CampaignBonus]:
    """The member's bonuses, by campaign, as budgets are claimed."""
    member_id = work.member.id
    rows = [
        CampaignBonus(bucket=bucket_of(member_id), member_id=member_id, **row._asdict())
        for row in await work.rows(CampaignBonus, **by)
    ]
    return sorted(rows, key=lambda row: row.campaign)
