"""Leaderboards in the schema. Members read of one another what each lets be read, and the score: never an id."""

from datetime import datetime
from typing import Annotated, Any, Final, cast

import strawberry

from core.books.tallies import fact_value
from core.errors import InvalidValue
from core.time.periods import PeriodKind
from graph.vocabulary import (
    ACTING,
    Connection,
    Decimal,
    Info,
    Member,
    MemberByInput,
    Page,
    Payload,
    Points,
    Role,
    actor,
    find_member,
    may_see,
    mutation,
    page_of_all,
    paged,
    perform,
    query,
)

from .models import LeaderboardScore, LeaderboardWin
from .operations import ChangeLeaderboardName, settings_of
from .reading import BEST_FIRST, Row, Shown, around, is_hidden, name_of, placed, row_of, shown
from .rules import Prize

_LOOKING: Final = {Role.MEMBER, Role.SERVICE, Role.OPERATOR, Role.ANALYST}
_NEIGHBOURS_MAX: Final = 10


@strawberry.type
class LeaderboardPeriod:
    """A period of a leaderboard, in the programme's time zone."""

    name: str = strawberry.field(description="Its name: 2026-06-01, 2026-W23, 2026-06 or 2026-Q2.")
    kind: str = strawberry.field(description="day, week, month or quarter.")
    opens_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it is over; what happens from then on does not count.")
    closes_at: datetime = strawberry.field(
        description="When its scores are final; until then what is told late still counts, and so do refunds."
    )
    is_closed: bool = strawberry.field(description="Whether they are.")


@strawberry.type
class LeaderboardPart:
    """So much of a unit."""

    unit: str = strawberry.field(description="points, growth, or a unit of the programme's own.")
    amount: Points = strawberry.field(description="How much of it.")


@strawberry.type
class LeaderboardPrize:
    """What some of the places win."""

    place_from: int = strawberry.field(description="The first of these places.")
    place_to: int = strawberry.field(description="The last of these places. Whoever shares it wins as well.")
    pack: list[LeaderboardPart] = strawberry.field(description="How much of each unit.")
    coupons: list[str] = strawberry.field(description="The coupons, by their ids in the programme.")


@strawberry.type
class LeaderboardAward:
    """What a member has won."""

    leaderboard: str = strawberry.field(description="The leaderboard's id.")
    title: str = strawberry.field(description="What it is called.")
    period: str = strawberry.field(description="The period, by its name.")
    place: int = strawberry.field(description="The place that won it.")
    pack: list[LeaderboardPart] = strawberry.field(description="How much of each unit it was.")
    coupons: list[str] = strawberry.field(description="The coupons, by their ids in the programme.")
    won_at: datetime = strawberry.field(description="When it was given.")

    @classmethod
    def of(cls, row: Any) -> "LeaderboardAward":
        return cls(
            leaderboard=row.board,
            title=row.title,
            period=row.period,
            place=row.place,
            pack=_pack(row.pack),
            coupons=list(row.coupons),
            won_at=row.won_at,
        )


@strawberry.type
class LeaderboardPlace:
    """A member's place on a leaderboard."""

    place: int | None = strawberry.field(
        description="Which one. Those who are level share one, and as many are left out after it. Null beyond 10,000."
    )
    score: Decimal = strawberry.field(description="What was counted: money in the currency's unit.")
    is_own: bool = strawberry.field(description="Whether it is the place of the member whose token asks.")
    _member_id: strawberry.Private[str]

    @strawberry.field
    async def name(self, info: Info) -> str | None:
        """The member's name, where the programme and the member let it be read; null otherwise."""
        return await name_of(info, self._member_id)

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """The member, for those who may see them; null for others."""
        return await Member.find(info, self._member_id) if may_see(info, self._member_id) else None


@strawberry.type(name="Leaderboard")
class LeaderboardType:
    """A leaderboard in one of its periods: members by how much was counted of them."""

    name: str = strawberry.field(description="Its id in the programme: top_spenders.")
    title: str = strawberry.field(description="What it is called.")
    counts: str = strawberry.field(description="What is counted, by name: spend, points_earned.")
    period: LeaderboardPeriod = strawberry.field(description="The period that it shows.")
    prizes: list[LeaderboardPrize] = strawberry.field(description="What the first places win when the period closes.")
    _shown: strawberry.Private[Shown]

    @strawberry.field
    @paged
    async def places(self, info: Info, page: Page) -> Connection[LeaderboardPlace]:
        """The places, the best first; who has nothing has none."""
        board = self._shown

        def scored(member_id: str, row: Any) -> Row:
            return Row(member_id, row.score)

        # Nobody's id is ever told to another member.
        rows: Connection[Row] = await page_of_all(
            info, LeaderboardScore, scored, page, BEST_FIRST, board.where, sealed=True
        )
        top = page.after is None and not page.backwards
        found = await placed(info.context.reader, board, rows.nodes, from_top=top)
        return rows.of([_place(info, board, row, at) for row, at in found])

    @strawberry.field
    async def place(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="Whose; the one of the member whose token asks if left out."),
        ] = None,
    ) -> LeaderboardPlace | None:
        """A member's place; null for who has nothing, and for somebody else's member."""
        own = await self._row(info, member)
        if own is None:
            return None
        ((row, at),) = await placed(info.context.reader, self._shown, [own])
        return _place(info, self._shown, row, at)

    @strawberry.field
    async def neighbours(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="Whose; those of the member whose token asks if left out."),
        ] = None,
        each: Annotated[int, strawberry.argument(description=f"How many on either side, 1 to {_NEIGHBOURS_MAX}.")] = 3,
    ) -> list[LeaderboardPlace]:
        """A member's place with those right before and after it, the best first; empty for who has none."""
        if not 1 <= each <= _NEIGHBOURS_MAX:
            raise InvalidValue(field="each", reason=f"it must be 1 to {_NEIGHBOURS_MAX}")
        own = await self._row(info, member)
        if own is None:
            return []
        reader, board = info.context.reader, self._shown
        found = await placed(reader, board, await around(reader, board, own, each))
        return [_place(info, board, row, at) for row, at in found]

    async def _row(self, info: Info, by: MemberByInput | None) -> Row | None:
        if by is not None:
            found = await find_member(info, by)
            member_id = found.member_id if found is not None else None
        else:
            member_id = info.context.caller.member_id if info.context.caller is not None else None
        return await row_of(info, self._shown, member_id) if member_id is not None else None


def _place(info: Info, board: Shown, row: Row, place: int | None) -> LeaderboardPlace:
    caller = info.context.caller
    return LeaderboardPlace(
        place=place,
        score=fact_value(board.board.count, row.score, board.version.programme.currency),
        is_own=caller is not None and caller.member_id == row.member_id,
        _member_id=row.member_id,
    )


def _board(info: Info, board: Shown) -> LeaderboardType:
    settings, period = board.board, board.period
    kind: PeriodKind = settings.period
    firsts = [1, *(prize.up_to + 1 for prize in settings.prizes)]
    return LeaderboardType(
        name=settings.id,
        title=settings.title,
        counts=settings.count,
        period=LeaderboardPeriod(
            name=period.name,
            kind=kind,
            opens_at=board.opens_at,
            ends_at=board.ends_at,
            closes_at=board.closes_at,
            is_closed=board.closes_at <= info.context.now,
        ),
        prizes=[_prize(first, prize) for first, prize in zip(firsts, settings.prizes, strict=False)],
        _shown=board,
    )


def _prize(first: int, prize: Prize) -> LeaderboardPrize:
    award = prize.award
    return LeaderboardPrize(place_from=first, place_to=prize.up_to, pack=_pack(award.pack), coupons=list(award.coupons))


def _pack(pack: dict[str, int]) -> list[LeaderboardPart]:
    return [LeaderboardPart(unit=unit, amount=Points(amount)) for unit, amount in sorted(pack.items())]


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.type
class LeaderboardQueries:
    """What can be asked about leaderboards."""

    @query(allow=_LOOKING)
    async def leaderboards(self, info: Info) -> list[LeaderboardType]:
        """The leaderboards of the programme in force, in the present period; empty when it has none."""
        programmes, now = await info.context.programmes(), info.context.now
        settings = settings_of(programmes.at(now).programme)
        boards = settings.boards if settings is not None else ()
        return [_board(info, shown(programmes, now, board.id, None)) for board in boards]

    @query(allow=_LOOKING)
    async def leaderboard(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="The leaderboard's id in the programme.")],
        period: Annotated[
            str | None,
            strawberry.argument(
                description="2026-06-01, 2026-W23, 2026-06 or 2026-Q2, as it is called; the present one if left out."
            ),
        ] = None,
    ) -> LeaderboardType:
        """A leaderboard, in a period that is over or in the present one. LEADERBOARD_PERIOD_AHEAD.

        LEADERBOARDS_NOT_OFFERED, LEADERBOARD_NOT_FOUND, LEADERBOARD_PERIOD_UNKNOWN.
        """
        return _board(info, shown(await info.context.programmes(), info.context.now, name, period))


@strawberry.type
class LeaderboardMemberFields:
    """What a member has of leaderboards."""

    @strawberry.field
    async def leaderboard_awards(self, info: Info) -> list[LeaderboardAward]:
        """What the member's places on leaderboards have won, the latest first; what was reversed is left out."""
        # Fields of Member, so they are resolved with a member as self.
        rows = await info.context.loaders.rows(LeaderboardWin, cast(Member, self).member_id, "state = 'given'")
        latest_first = sorted(rows, key=lambda row: (row.won_at, row.board), reverse=True)
        return [LeaderboardAward.of(row) for row in latest_first]

    @strawberry.field
    async def is_leaderboard_name_hidden(self, info: Info) -> bool:
        """Whether other members cannot read the member's name on leaderboards."""
        settings = settings_of((await info.context.version()).programme)
        return await is_hidden(info, settings, cast(Member, self).member_id)


@strawberry.input
class ChangeLeaderboardNameInput:
    """Whether others may read a member's name."""

    member: MemberByInput = strawberry.field(description="The member whose name it is.")
    is_hidden: bool = strawberry.field(description="Whether it is to be hidden; the place and the score are seen.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.type
class ChangeLeaderboardNamePayload(Payload):
    """What became of a member's choice."""


@strawberry.type
class LeaderboardMutations:
    """What can be done about leaderboards."""

    @mutation(allow=ACTING)
    async def change_leaderboard_name(
        self, info: Info, input: ChangeLeaderboardNameInput
    ) -> ChangeLeaderboardNamePayload:
        """Hide the member's name on leaderboards, or let it be read, whatever the programme does with others."""
        operation = ChangeLeaderboardName(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            is_hidden=input.is_hidden,
        )
        return await perform(info, operation, ChangeLeaderboardNamePayload)
