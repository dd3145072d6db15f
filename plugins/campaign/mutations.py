"""Campaigns in the schema: which there are, what is left of their budgets, and what a member got out of them."""

from datetime import datetime
from enum import Enum
from typing import Any, cast

import strawberry

from core.store.questions import Rows
from graph.vocabulary import (
    EVERYONE,
    Connection,
    Info,
    Member,
    Page,
    Points,
    Transaction,
    newest,
    page_of_member,
    paged,
    query,
)

from .models import CampaignBonus, CampaignBudget
from .rules import CHANNEL, Campaign, CampaignSettings


@strawberry.enum
class CampaignStatus(Enum):
    """Where a campaign stands."""

    AHEAD = strawberry.enum_value("ahead", description="It has not begun.")
    OPEN = strawberry.enum_value("open", description="Orders of now are in it.")
    OVER = strawberry.enum_value("over", description="It has ended.")


@strawberry.type
class CampaignBudgetLeft:
    """The points that all members together can get out of a campaign."""

    total: Points = strawberry.field(description="All there are.")
    used: Points = strawberry.field(description="What orders have got, less what came back.")
    left: Points = strawberry.field(description="What is left; orders that are worth more get this and no more.")


@strawberry.type(name="Campaign")
class CampaignType:
    """A bonus on orders for a while."""

    name: str = strawberry.field(description="Its id in the programme: sale618.")
    title: str = strawberry.field(description="What it is called.")
    status: CampaignStatus = strawberry.field(description="Where it stands now.")
    opens_at: datetime | None = strawberry.field(description="The first instant of it; null when it has no beginning.")
    closes_at: datetime | None = strawberry.field(description="The instant at which it is over; null for none.")
    _campaign: strawberry.Private[Campaign]

    @classmethod
    def of(cls, campaign: Campaign, now: datetime) -> "CampaignType":
        return cls(
            name=campaign.id,
            title=campaign.title,
            status=CampaignStatus(campaign.state(now)),
            opens_at=campaign.valid.since,
            closes_at=campaign.valid.until,
            _campaign=campaign,
        )

    @strawberry.field
    async def budget(self, info: Info) -> CampaignBudgetLeft | None:
        """What is left of its budget; null when it has none."""
        total = self._campaign.budget
        if total is None:
            return None
        rows = await info.context.loaders.ask(Rows(CampaignBudget, ("campaign",)), (self._campaign.id,)) or []
        used = sum(row.used for row in rows)
        return CampaignBudgetLeft(total=Points(total), used=Points(used), left=Points(max(total - used, 0)))


@strawberry.type
class CampaignCut:
    """What a cap took of a bonus."""

    cap: str = strawberry.field(description="Which: order, day, month, lifetime, or budget.")
    points: Points = strawberry.field(description="How much it took.")


@strawberry.type(name="CampaignBonus")
class CampaignBonusType:
    """What an order got out of a campaign."""

    campaign: str = strawberry.field(description="The campaign's id in the programme.")
    order: str = strawberry.field(description="The order's reference.")
    occurred_at: datetime = strawberry.field(description="When the order was paid.")
    worth: Points = strawberry.field(description="What its rules gave, before anything was cut off.")
    given: Points = strawberry.field(description="What the member got.")
    left: Points = strawberry.field(description="What is left of that after refunds.")
    cut: list[CampaignCut] = strawberry.field(description="What was cut off, and by what.")
    _member_id: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "CampaignBonusType":
        return cls(
            campaign=row.campaign,
            order=row.reference,
            occurred_at=row.occurred_at,
            worth=Points(row.worth),
            given=Points(row.given),
            left=Points(row.kept),
            cut=[CampaignCut(cap=cap, points=Points(points)) for cap, points in row.cut],
            _member_id=member_id,
            _transaction_id=row.transaction_id,
        )

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction of the order, which holds it."""
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type
class CampaignQueries:
    """What can be asked about campaigns."""

    @query(allow=EVERYONE)
    async def campaigns(self, info: Info) -> list[CampaignType]:
        """The campaigns of the programme in force, those ahead and those that are over as well."""
        settings = (await info.context.version()).programme.channels.get(CHANNEL)
        if settings is None:
            return []
        assert isinstance(settings, CampaignSettings)
        return [CampaignType.of(campaign, info.context.now) for campaign in settings.campaigns]


@strawberry.type
class CampaignMemberFields:
    """What a member has of campaigns."""

    @strawberry.field
    @paged
    async def campaign_bonuses(self, info: Info, page: Page) -> Connection[CampaignBonusType]:
        """What the member's orders got out of campaigns, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> CampaignBonusType:
            return CampaignBonusType.of(member_id, row)

        order = newest("occurred_at", "reference", "campaign")
        return await page_of_member(info, CampaignBonus, member_id, node, page, order)
