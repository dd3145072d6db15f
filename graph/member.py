"""A member in the schema: who they are, what they have, what they did, how far the next tier is."""

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Annotated, Any, Final

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
from core.channels.tags import PREDICTED, of_attributes
from core.engine.operations import Recorded
from core.errors import ProgrammeNotFound
from core.store.questions import Rows
from core.time.calendar import local_day
from core.units import GROWTH, POINTS
from graph.annual import AnnualReport, annual_report_of
from graph.context import Info
from graph.federation import entity
from graph.filters import InstantFilter, TextFilter, enum_is, instant_is, text_is
from graph.ids import Node, global_id, parts_of
from graph.pages import Connection, Order, Page, Where, newest, oldest, page_of_member, paged, sliced
from graph.permissions import STAFF, caller_of, field, forbidden, may_see
from graph.prediction import Prediction, prediction_of
from graph.resolving import of_all
from graph.scalars import Points
from graph.selections import selected
from graph.suggestion import Suggestion, suggestions_of
from graph.tier import Keeping, Progress, Tier, TierChange, facts_counted, keeping_of, progress_of
from graph.tokens import Role
from graph.transaction import Hold, Lot, Transaction, TransactionOrder, TransactionsFilter, columns_shown, told

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
    _value: strawberry.Private[figures.Balance]

    @classmethod
    def of(cls, unit: str, value: figures.Balance) -> "Balance":
        return cls(unit=unit, _value=value)

    @strawberry.field
    def available(self) -> Points:
        """What can be spent now; for growth, what counts now."""
        return Points(self._value.available)

    @strawberry.field
    def pending(self) -> Points:
        """What was earned and can be spent only later."""
        return Points(self._value.pending)

    @strawberry.field
    def held(self) -> Points:
        """What is set aside by holds."""
        return Points(self._value.held)

    @strawberry.field
    def debt(self) -> Points:
        """What was taken back and could not be; the next earning repays it."""
        return Points(self._value.debt)

    @strawberry.field
    def balance(self) -> Points:
        """All of it: available + pending + held - debt."""
        return Points(self._value.total)

    @strawberry.field
    def expiring(self) -> Expiring | None:
        """What is lost next; null when nothing expires."""
        at = self._value.expires_at
        return None if at is None else Expiring(points=Points(self._value.expiring), at=at)


_TIERS_SEEN_MAX: Final = 10_000

_BY_ID: Final = Rows(MemberValue, ("bucket", "id"), glanced=True)
_BY_EXTERNAL_ID: Final = Rows(MemberValue, ("external_id",), glanced=True)


async def _balances(members: Sequence["Member"], info: Info) -> list[list[Balance]]:
    units, now = (await info.context.version()).programme.unit_names, info.context.now
    keys = [figures.Balances.key(member.member_id, unit, now) for member in members for unit in units]
    found = iter(await info.context.loaders.ask_all(figures.BALANCES, keys))
    return [[Balance.of(unit, next(found) or figures.NOTHING) for unit in units] for _ in members]


async def _balance_of(members: Sequence["Member"], info: Info, unit: str) -> list[Balance]:
    now = info.context.now
    keys = [figures.Balances.key(member.member_id, unit, now) for member in members]
    found = await info.context.loaders.ask_all(figures.BALANCES, keys)
    return [Balance.of(unit, value or figures.NOTHING) for value in found]


def _points(members: Sequence["Member"], info: Info) -> Awaitable[list[Balance]]:
    return _balance_of(members, info, POINTS)


def _growth(members: Sequence["Member"], info: Info) -> Awaitable[list[Balance]]:
    return _balance_of(members, info, GROWTH)


async def _tiers(members: Sequence["Member"], info: Info) -> list[Tier | None]:
    programme = (await info.context.version()).programme
    codes = [member._seen.tier for member in members]
    tiers = {code: Tier.of(programme, code) if code else None for code in set(codes)}
    return [tiers[code] for code in codes]


def _progress(members: Sequence["Member"], info: Info, tier: str | None = None) -> Awaitable[list[Progress | None]]:
    return progress_of(info, [member._seen for member in members], tier)


_SAID: Final = frozenset({"id", "external_id", "status", "birthday", "enrolled_at", "tier_since", "erased_at"})
"""The fields of a member that its value says."""


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
    _seen: strawberry.Private[MemberValue]
    """The member as of now: the value, or of a page's rows a glance at it."""

    @classmethod
    def of(cls, value: MemberValue) -> "Member":
        """The member of a value, or of a glance at one, as of now."""
        made = cls.__new__(cls)
        made._seen = value
        return made

    @classmethod
    def seen(cls, glance: Any, now: datetime) -> "Member":
        """The member of a glance at a row."""
        # Only of who is frozen it depends on the time what the row says.
        return cls.of(glance if glance.frozen_until is None else glance.whole().at(now))

    def __getattr__(self, name: str) -> Any:
        """What the value says, once it is asked for, as of a page's rows most is not."""
        if name not in _SAID:
            raise AttributeError(name)
        said = getattr(self._seen, name)
        if name == "id":
            said = global_id("Member", said)
        elif name == "status":
            said = MemberStatus(said)
        self.__dict__[name] = said
        return said

    @property
    def _value(self) -> MemberValue:
        if not isinstance(self._seen, MemberValue):
            self._seen = self._seen.whole()
        return self._seen

    @classmethod
    async def find(cls, info: Info, member_id: str) -> "Member | None":
        """A member by Laurel's id, whoever asks."""
        found = await info.context.loaders.ask(_BY_ID, (bucket_of(member_id), member_id))
        if not found:
            return None
        tiers_seen = info.context.laurel.tiers_seen
        if tiers_seen.get(member_id) != found[0].tier:
            if len(tiers_seen) >= _TIERS_SEEN_MAX:
                tiers_seen.clear()
            tiers_seen[member_id] = found[0].tier
        return cls.seen(found[0], info.context.now)

    @classmethod
    async def foresee(cls, info: Info, member_id: str, *path: str) -> None:
        """Ask at once what is going to be asked of the member: the field below ``path`` is one.

        What most ask of their own page is one statement then, and not one after another. Of a member who was seen in
        another tier what is missing is asked when it is known.
        """
        loaders, now, asked = info.context.loaders, info.context.now, selected(info, *path)
        if "points" in asked:
            loaders.foresee(figures.BALANCES, [figures.Balances.key(member_id, POINTS, now)])
        if "progress" in asked:
            try:
                programme = (await info.context.version()).programme
            except ProgrammeNotFound:
                return  # which the fields say that cannot be answered
            tier = info.context.laurel.tiers_seen.get(member_id)
            facts = facts_counted(programme, local_day(now, programme.zone), tier)
            loaders.foresee(figures.TOTALS, figures.Totals.keys(member_id, facts))

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
        return self._seen.id

    @strawberry.field
    def freeze(self) -> Freeze | None:
        """What is stopped at present; null when nothing is."""
        seen = self._seen
        frozen = seen.frozen or ("both" if self.status is MemberStatus.FROZEN else None)
        return None if frozen is None else Freeze(scope=FreezeScope(frozen), until=seen.frozen_until)

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
        return self._seen.tier

    @strawberry.field
    def attributes(self) -> list[Attribute]:
        """What the brand knows of the member, by name."""
        known = sorted(self._value.attributes.items())
        return [
            Attribute(name=name, value=value if isinstance(value, str) else orjson.dumps(value).decode())
            for name, value in known
        ]

    @strawberry.field
    @of_all(_tiers)
    async def tier(self, info: Info) -> Tier | None:
        """The member's tier; null when the programme has none."""
        [tier] = await _tiers([self], info)
        return tier

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
    @of_all(_progress)
    async def progress(
        self,
        info: Info,
        tier: Annotated[
            str | None, strawberry.argument(description="How far this tier is, by its code; the next one if left out.")
        ] = None,
    ) -> Progress | None:
        """How far the next tier is, or another; null when the programme has no tiers. TIER_NOT_FOUND."""
        [progress] = await _progress([self], info, tier)
        return progress

    @strawberry.field
    async def keeping(self, info: Info) -> Keeping | None:
        """What keeps the tier and until when; null when it is not judged, as the one where everybody begins."""
        return await keeping_of(info, self._value)

    async def tags_seen(self, info: Info) -> list[str]:
        """The tags of the member as they are written down, and those of the brand: those that rules see."""
        tags, _ = await self.tags_written(info)
        return tags

    async def tags_written(self, info: Info) -> tuple[list[str], list[str]]:
        """The tags that rules see, and those by prediction, which weigh in suggestions only."""
        rows: list[MemberTag] = await info.context.loaders.rows(MemberTag, self._value.id)
        held = [row for row in rows if row.holds(info.context.now)]
        seen = of_attributes(self._value.attributes) + [row.tag for row in held if row.source != PREDICTED]
        return seen, [row.tag for row in held if row.source == PREDICTED]

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
    @of_all(_points)
    async def points(self, info: Info) -> Balance:
        """The member's points."""
        [points] = await _points([self], info)
        return points

    @strawberry.field
    @of_all(_growth)
    async def growth(self, info: Info) -> Balance:
        """The member's growth, which climbs tiers and is never spent."""
        [growth] = await _growth([self], info)
        return growth

    @strawberry.field
    @of_all(_balances)
    async def balances(self, info: Info) -> list[Balance]:
        """What the member has of every unit of the programme."""
        [balances] = await _balances([self], info)
        return balances

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
        member_id = self.member_id
        # Requests that were refused are no transactions.
        where = [Where("accepted"), *told(info), *(filter.where() if filter is not None else ())]
        (columns, attached), order = columns_shown(info), order_by.order
        node = partial(Transaction.of, member_id)
        return await page_of_member(
            info, Recorded, member_id, node, page, order, where, glanced=True, columns=columns, attached=attached
        )

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
    found = await info.context.loaders.ask(_BY_EXTERNAL_ID, (external_id,))
    return Member.seen(found[0], info.context.now) if found else None
