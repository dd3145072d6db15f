"""A member in the schema: who they are, what they have, what they did, how far the next tier is."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated

import orjson
import strawberry
from strawberry import ID

from core.books import figures
from core.books.holds import Hold as HoldValue
from core.books.holds import HoldLot, without_overdue
from core.books.lots import Lot as LotValue
from core.books.lots import spending_order
from core.books.members import ByExternalId, ById, MemberRef, MemberTag, bucket_of
from core.books.members import Member as MemberValue
from core.books.members import TierChange as TierChangeValue
from core.channels.tags import of_attributes
from core.engine.operations import Recorded
from core.store.questions import Rows
from core.units import GROWTH, POINTS
from graph.annual import AnnualReport, annual_report_of
from graph.context import Info
from graph.federation import entity
from graph.filters import InstantFilter, TextFilter, enum_is, instant_is, text_is
from graph.ids import Node, global_id, parts_of
from graph.pages import Connection, Order, Page, Where, newest, oldest, page_of_member, paged, sliced
from graph.permissions import STAFF, caller_of, field, forbidden, may_see
from graph.prediction import Prediction, prediction_of
from graph.scalars import Points
from graph.selections import selects
from graph.suggestion import Suggestion, suggestions_of
from graph.tier import Keeping, Progress, Tier, TierChange, keeping_of, progress_of
from graph.tokens import Role
from graph.transaction import Hold, Lot, Transaction, TransactionOrder, TransactionsFilter

UnitName = Annotated[str, strawberry.argument(description="The unit: points, growth …")]


@strawberry.enum
class MemberStatus(Enum):
    """What a member may do at present."""

    ACTIVE = strawberry.enum_value("active", description="Earns and spends.")
    FROZEN = strawberry.enum_value("frozen", description="Neither earns nor spends, for the time being.")
    CLOSED = strawberry.enum_value("closed", description="Has left the programme for good.")


@strawberry.enum
class FreezeScope(Enum):
    """What a freeze stops."""

    EARNING = strawberry.enum_value("earning", description="Nothing can be earned; what is there can be spent.")
    SPENDING = strawberry.enum_value("spending", description="Nothing can be spent, set aside or captured.")
    BOTH = strawberry.enum_value("both", description="Neither is possible; the member's status is FROZEN.")


@strawberry.type
class Freeze:
    """What a member cannot do for the time being."""

    scope: FreezeScope = strawberry.field(description="What is stopped.")
    until: datetime | None = strawberry.field(
        description="From this instant on it is over by itself; null until somebody lets the member go on."
    )


@strawberry.enum
class MemberOrder(Enum):
    """In which order members are listed."""

    RECORDED_AT_ASC = strawberry.enum_value("recorded_at_asc", description="By when Laurel came to know them.")
    RECORDED_AT_DESC = strawberry.enum_value("recorded_at_desc", description="The other way round, the latest first.")
    ENROLLED_AT_ASC = strawberry.enum_value("enrolled_at_asc", description="By when the membership began.")
    ENROLLED_AT_DESC = strawberry.enum_value("enrolled_at_desc", description="The other way round, the latest first.")
    EXTERNAL_ID_ASC = strawberry.enum_value("external_id_asc", description="By the brand's own id, as its bytes sort.")
    EXTERNAL_ID_DESC = strawberry.enum_value("external_id_desc", description="The other way round.")

    @property
    def order(self) -> Order:
        column, _, way = str(self.value).rpartition("_")
        # Ids are made in the order of time.
        columns = ("id",) if column == "recorded_at" else (column, "id")
        return newest(*columns) if way == "desc" else oldest(*columns)


@strawberry.input
class MemberStatusFilter:
    """Which statuses are wanted."""

    eq: MemberStatus | None = strawberry.field(default=None, description="This one.")
    in_: list[MemberStatus] | None = strawberry.field(default=None, name="in", description="One of these.")


@strawberry.input
class MembersFilter:
    """Which members to list. Everything given must hold."""

    tier: TextFilter | None = strawberry.field(default=None, description="Their tier, by its code.")
    status: MemberStatusFilter | None = strawberry.field(
        default=None,
        description="What they may do, as last written down: a freeze that ended by itself is still one here "
        "until something is done to the member.",
    )
    external_id: TextFilter | None = strawberry.field(default=None, description="The brand's own id of the member.")
    enrolled_at: InstantFilter | None = strawberry.field(default=None, description="When the membership began.")
    tag: TextFilter | None = strawberry.field(
        default=None,
        description="A tag that they have, or the stage of their life cycle, by its id in the programme; as last "
        "written down, which is within a minute.",
    )

    def where(self) -> list[Where]:
        """The conditions in SQL. Raises InvalidValue."""
        status = self.status
        return [
            *text_is("tier", "tier", self.tier),
            *(enum_is("status", status.eq, status.in_) if status is not None else ()),
            *text_is("externalId", "external_id", self.external_id),
            *instant_is("enrolled_at", self.enrolled_at),
            *(_is_tagged(where) for where in text_is("tag", "t.tag", self.tag)),
        ]


def _is_tagged(where: Where) -> Where:
    # Asked first, so that a tag that few have costs no more than they are.
    return Where(f"id IN (SELECT t.member_id FROM member_tag t WHERE t.held AND {where.sql})", where.values)


@strawberry.type
class Attribute:
    """Something the brand knows of a member."""

    name: str = strawberry.field(description="What it is: city.")
    value: str = strawberry.field(description="What is known: Shanghai.")


@strawberry.type
class Expiring:
    """Points that expire together."""

    points: Points = strawberry.field(description="What can be spent and will be lost then.")
    at: datetime = strawberry.field(description="The instant from which it cannot be spent.")


@strawberry.type
class Balance:
    """What a member has of one unit, at this very moment: what has lapsed is gone, whether or not a job has run."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    available: Points = strawberry.field(description="What can be spent now; for growth, what counts now.")
    pending: Points = strawberry.field(description="What was earned and can be spent only later.")
    held: Points = strawberry.field(description="What is set aside by holds.")
    debt: Points = strawberry.field(description="What was taken back and could not be; the next earning repays it.")
    balance: Points = strawberry.field(description="available + pending + held - debt.")
    expiring: Expiring | None = strawberry.field(description="What is lost next; null when nothing expires.")

    @classmethod
    def of(cls, unit: str, value: figures.Balance) -> "Balance":
        at = value.expires_at
        return cls(
            unit=unit,
            available=Points(value.available),
            pending=Points(value.pending),
            held=Points(value.held),
            debt=Points(value.debt),
            balance=Points(value.total),
            expiring=None if at is None else Expiring(points=Points(value.expiring), at=at),
        )


@entity("externalId")
@strawberry.type
class Member(Node):
    """A member of the programme."""

    external_id: str = strawberry.field(description="The brand's own id of the member.")
    status: MemberStatus = strawberry.field(description="What the member may do at present.")
    birthday: date | None = strawberry.field(description="The member's birthday, if it is known.")
    enrolled_at: datetime = strawberry.field(description="When the membership began.")
    tier_since: datetime = strawberry.field(description="Since when the member has the tier.")
    erased_at: datetime | None = strawberry.field(
        description="When it was forgotten who the member was; null for everybody else. What was done stays."
    )
    _value: strawberry.Private[MemberValue]

    @classmethod
    def of(cls, value: MemberValue) -> "Member":
        return cls(
            id=global_id("Member", value.id),
            external_id=value.external_id,
            status=MemberStatus(value.status),
            birthday=value.birthday,
            enrolled_at=value.enrolled_at,
            tier_since=value.tier_since,
            erased_at=value.erased_at,
            _value=value,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str) -> "Member | None":
        """A member by Laurel's id, whoever asks."""
        question = Rows(MemberValue, ("bucket", "id"))
        found = await info.context.loaders.ask(question, (bucket_of(member_id), member_id))
        return cls.of(found[0].at(info.context.now)) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Member | None":
        match parts:
            case (member_id,) if may_see(info, member_id):
                return await cls.find(info, member_id)
            case _:
                return None

    @classmethod
    async def find_by(cls, info: Info, key: str, value: str) -> "Member | None":
        """A member by the brand's id, for another subgraph that refers to one."""
        found = await find_member(info, MemberByInput(external_id=value))
        return found if found is not None and may_see(info, found.member_id) else None

    @property
    def member_id(self) -> str:
        """Laurel's id as the ledger has it."""
        return self._value.id

    @strawberry.field
    def freeze(self) -> Freeze | None:
        """What is stopped at present; null when nothing is."""
        frozen = self._value.frozen or ("both" if self.status is MemberStatus.FROZEN else None)
        return None if frozen is None else Freeze(scope=FreezeScope(frozen), until=self._value.frozen_until)

    @strawberry.field
    async def merged_into(self, info: Info) -> "Member | None":
        """The member whom this one was merged into, who has all that there was; null for everybody else.

        Null as well for whoever may not see that member.
        """
        into = self._value.merged_into
        return await Member.find(info, into) if into is not None and may_see(info, into) else None

    @property
    def tier_id(self) -> str:
        """The id of the member's tier in the programme; empty when it has none."""
        return self._value.tier

    @strawberry.field
    def attributes(self) -> list[Attribute]:
        """What the brand knows of the member, by name."""
        known = sorted(self._value.attributes.items())
        return [
            Attribute(name=name, value=value if isinstance(value, str) else orjson.dumps(value).decode())
            for name, value in known
        ]

    @strawberry.field
    async def tier(self, info: Info) -> Tier | None:
        """The member's tier; null when the programme has none."""
        return Tier.of((await info.context.version()).programme, self._value.tier) if self._value.tier else None

    @strawberry.field
    async def tier_history(self, info: Info) -> list[TierChange]:
        """The member's whole way through the tiers, the oldest step first. `tierChanges` gives pages of it."""
        programme = (await info.context.version()).programme
        rows: list[TierChangeValue] = await info.context.loaders.rows(TierChangeValue, self._value.id)
        return [
            TierChange.of(programme, self._value.id, row)
            for row in sorted(rows, key=lambda row: row.number)
            if row.tier
        ]

    @strawberry.field
    @paged
    async def tier_changes(self, info: Info, page: Page) -> Connection[TierChange]:
        """The member's way through the tiers, each step with its cause; the newest first."""
        programme, member_id = (await info.context.version()).programme, self._value.id

        def node(change: TierChangeValue) -> TierChange:
            return TierChange.of(programme, member_id, change)

        # Who joined before there were tiers stood in none.
        return await page_of_member(
            info, TierChangeValue, member_id, node, page, newest("number"), [Where("tier <> ''")]
        )

    @strawberry.field
    async def progress(
        self,
        info: Info,
        tier: Annotated[
            str | None, strawberry.argument(description="How far this tier is, by its code; the next one if left out.")
        ] = None,
    ) -> Progress | None:
        """How far the next tier is, or another; null when the programme has no tiers. TIER_NOT_FOUND."""
        return await progress_of(info, self._value, tier)

    @strawberry.field
    async def keeping(self, info: Info) -> Keeping | None:
        """What keeps the tier and until when; null when it is not judged, as the one where everybody begins."""
        return await keeping_of(info, self._value)

    async def tags_seen(self, info: Info) -> list[str]:
        """The tags of the member as they are written down, whoever has given them, and those of the brand."""
        rows: list[MemberTag] = await info.context.loaders.rows(MemberTag, self._value.id)
        return [*of_attributes(self._value.attributes), *(row.tag for row in rows if row.holds(info.context.now))]

    @strawberry.field
    async def suggestions(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="How many, 1 to 20.")] = 10,
    ) -> list[Suggestion]:
        """What fits the member now, the most fitting first, each with a reason: quests, rewards, benefits.

        At most five of one channel. INVALID_VALUE.
        """
        return await suggestions_of(info, self, first)

    @field(allow=STAFF)
    async def prediction(self, info: Info) -> Prediction | None:
        """What the member is likely to do: an estimate to choose whom to write to, with its error."""
        has_left = self.status is MemberStatus.CLOSED or self._value.merged_into is not None
        return await prediction_of(info, self._value.id, has_left=has_left)

    @strawberry.field
    async def annual_report(
        self, info: Info, year: Annotated[int, strawberry.argument(description="The year; none in the future.")]
    ) -> AnnualReport | None:
        """The member's year, or as much of it as has been; null for years before the membership. INVALID_VALUE."""
        return await annual_report_of(info, self, year)

    @strawberry.field
    async def points(self, info: Info) -> Balance:
        """The member's points."""
        return await self._balance(info, POINTS)

    @strawberry.field
    async def growth(self, info: Info) -> Balance:
        """The member's growth, which climbs tiers and is never spent."""
        return await self._balance(info, GROWTH)

    @strawberry.field
    async def balances(self, info: Info) -> list[Balance]:
        """What the member has of every unit of the programme."""
        units = (await info.context.version()).programme.unit_names
        return await asyncio.gather(*(self._balance(info, unit) for unit in units))

    @strawberry.field
    @paged
    async def lots(self, info: Info, page: Page, unit: UnitName = POINTS) -> Connection[Lot]:
        """What is left of what was earned, the soonest expiry first."""
        now = info.context.now
        open_lots = [lot for lot in await self._open_lots(info, unit) if not lot.lapsed(now)]
        items = [(str(lot.seq), Lot.of(self._value.id, lot, now)) for lot in sorted(open_lots, key=spending_order)]
        return sliced(f"lot:{self._value.id}:{unit}", items, page)

    @strawberry.field
    @paged
    async def holds(self, info: Info, page: Page) -> Connection[Hold]:
        """The holds that are open, the oldest first."""
        now = info.context.now
        rows = sorted(await self._open_holds(info), key=lambda hold: (hold.placed_at, hold.unit, hold.seq))
        items = [(f"{hold.unit}:{hold.seq}", Hold.of(self._value.id, hold, now)) for hold in rows]
        return sliced(f"hold:{self._value.id}", items, page)

    @strawberry.field
    @paged
    async def transactions(
        self,
        info: Info,
        page: Page,
        filter: Annotated[
            TransactionsFilter | None, strawberry.argument(description="Which ones; all if left out.")
        ] = None,
        order_by: Annotated[
            TransactionOrder, strawberry.argument(description="In which order.")
        ] = TransactionOrder.RECORDED_AT_DESC,
    ) -> Connection[Transaction]:
        """All that was done to the account; the newest first, unless asked for otherwise."""
        member_id = self._value.id

        def node(recorded: Recorded) -> Transaction:
            return Transaction.of(member_id, recorded)

        # Requests that were refused are no transactions.
        where = [Where("accepted"), *(filter.where() if filter is not None else ())]
        return await page_of_member(info, Recorded, member_id, node, page, order_by.order, where)

    async def _open_lots(self, info: Info, unit: str) -> Sequence[LotValue]:
        # All units at once, so that points and growth are one question.
        rows: list[LotValue] = await info.context.loaders.rows(LotValue, self._value.id, "remaining > 0")
        if any(lot.held for lot in rows):
            # A hold whose time is over sets nothing aside, whether or not a job has released it.
            parts = await info.context.loaders.rows(HoldLot, self._value.id, "amount > 0")
            rows = without_overdue(rows, await self._open_holds(info), parts, info.context.now)
        return [lot for lot in rows if lot.unit == unit]

    async def _open_holds(self, info: Info) -> list[HoldValue]:
        return await info.context.loaders.rows(HoldValue, self._value.id, "state = 'open'")

    async def _balance(self, info: Info, unit: str) -> Balance:
        question = figures.Balances(expiring=selects(info, "expiring"))
        found = await info.context.loaders.ask(question, question.key(self._value.id, unit, info.context.now))
        return Balance.of(unit, found or figures.NOTHING)


@strawberry.input(one_of=True)
class MemberByInput:
    """One way to name a member. A member's own token may use the id only."""

    id: ID | None = strawberry.field(default=None, description="Laurel's id of the member.")
    external_id: str | None = strawberry.field(default=None, description="The brand's own id of the member.")

    def to_ref(self, info: Info) -> MemberRef:
        """The member for an operation. Raises InvalidId, or FORBIDDEN when a member names anyone but themselves."""
        caller = caller_of(info)
        ref: MemberRef
        if self.id is not None:
            (member_id,) = parts_of(self.id, "Member", 1)
            ref = ById(member_id)
        else:
            assert self.external_id is not None, "@oneOf is enforced by the executor"
            ref = ByExternalId(self.external_id)
        if caller.role is Role.MEMBER and ref != ById(caller.member_id or ""):
            raise forbidden("a member's token acts for its member, named by id")
        return ref


async def find_member(info: Info, by: MemberByInput) -> Member | None:
    """The member, if there is one and the caller may see them: the two cannot be told apart."""
    caller = caller_of(info)
    if by.id is not None:
        (member_id,) = parts_of(by.id, "Member", 1)
        return await Member.find(info, member_id) if may_see(info, member_id) else None
    assert by.external_id is not None, "@oneOf is enforced by the executor"
    external_id = by.external_id
    if caller.role is Role.MEMBER:
        # Only their own row is looked at, so that neither the answer nor its time tells of anybody else.
        own = await Member.find(info, caller.member_id or "")
        return own if own is not None and own.external_id == external_id else None
    found = await info.context.loaders.ask(Rows(MemberValue, ("external_id",)), (external_id,))
    return Member.of(found[0].at(info.context.now)) if found else None
