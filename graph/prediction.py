"""What members are likely to do, in the schema: for staff, with what it rests on and how good the method is."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry

from core.errors import InvalidValue
from core.models import PredictionModelRow, PredictionRow
from core.predictions.predicting import AHEAD_DAYS, MILLION, UNKNOWN, buying_of, models_of
from core.store.questions import Rows
from graph.context import Info
from graph.money import Money
from graph.pages import Connection, Order, Page, Where, newest, page_of_all, paged
from graph.permissions import STAFF, query
from graph.phrases import Locale
from graph.scalars import Points
from graph.suggestion import FIRST_MAX, Suggestion, suggestions_of
from graph.tokens import Role

if TYPE_CHECKING:
    from graph.member import Member

WEEKS_MAX: Final = 104

_GONE: Final = MILLION // 2
_WEEKS: Final = AHEAD_DAYS // 7
_Weeks = Annotated[int, strawberry.argument(description=f"For how many weeks ahead, 1 to {WEEKS_MAX}.")]


@strawberry.enum
class PredictionWithheld(Enum):
    """Why nothing is predicted of a member."""

    NOT_YET = strawberry.enum_value(
        "not_yet", description="No run has seen the member so far, or none has found a model: see `predictionRuns`."
    )
    NO_MODEL = strawberry.enum_value("no_model", description="No model of orders has been found: see `predictionRuns`.")
    NO_ORDERS = strawberry.enum_value("no_orders", description="The member has not ordered, or all of it came back.")
    LEFT = strawberry.enum_value("left", description="The membership is closed, or was merged into another.")


@strawberry.enum
class PredictionOrder(Enum):
    """By what predictions are listed, the greatest first."""

    LIKELY_GONE = strawberry.enum_value("gone", description="By how likely it is that the member has left.")
    EXPECTED_VALUE = strawberry.enum_value("spend", description="By what the member is expected to pay.")
    POINTS_LIKELY_LOST = strawberry.enum_value("lost", description="By the points that the member is likely to lose.")

    @property
    def order(self) -> Order:
        return newest(str(self.value), "member_id")

    @property
    def where(self) -> Where:
        """Who belongs in the list: nobody of whom nothing is known, or who loses nothing."""
        # As MariaDB's index has the negative ones too.
        return Where(f"{self.value} >= ?", (1 if self is PredictionOrder.POINTS_LIKELY_LOST else 0,))


@strawberry.enum
class SuggestedActionKind(Enum):
    """What staff could do about what is predicted of a member: write to them."""

    REMIND_OF_POINTS = strawberry.enum_value(
        "remind_of_points", description="Write of the points that are likely to be lost, and of what they bring now."
    )
    WIN_BACK = strawberry.enum_value(
        "win_back", description="Write to somebody who is more likely gone than not, with what fits them best."
    )


@strawberry.type
class SuggestedAction:
    """Why it is worth writing to a member, and of what."""

    kind: SuggestedActionKind = strawberry.field(description="What could be done.")
    offer: Suggestion | None = strawberry.field(
        description="What to write of: the first of the member's own `suggestions` that serves; null where none does."
    )
    _says: strawberry.Private[tuple[str, str]]

    @strawberry.field
    def reason(
        self, locale: Annotated[Locale, strawberry.argument(description="The language of the sentence.")] = Locale.EN
    ) -> str:
        """Why, in a sentence for staff, and not for the member."""
        en, zh = self._says
        return zh if locale is Locale.ZH else en


@strawberry.type
class PredictionModelParameter:
    """A number that a fit has found."""

    model: str = strawberry.field(description="buying, spending, redeeming, or taking: what a redemption takes.")
    name: str = strawberry.field(description="Its name in the literature: r, alpha, a, b, p, q, gamma.")
    value: Decimal = strawberry.field(description="Its value, to a millionth.")


@strawberry.type
class PredictionError:
    """How far off a model was on days that it had not seen, and how far the naive guess that all goes on as before."""

    figure: str = strawberry.field(
        description="What was said: orders (days with one), spend (in the currency's unit), silent (who orders at all)."
    )
    measure: str = strawberry.field(
        description="mean: the mean distance by member. root: of the mean square. total: of the sum over all members, "
        "as a share of it. square: the mean square of the likelihood less what came; of the guess, the share "
        "of members it was wrong about."
    )
    model: Decimal = strawberry.field(description="The model's error.")
    guess: Decimal = strawberry.field(description="The naive guess's.")


@strawberry.type
class PredictionRun:
    """A run of the job that fits the models: what it found, how good that was, or why it was refused."""

    number: int = strawberry.field(description="Its number, from 1.")
    made_at: datetime = strawberry.field(description="When it was.")
    until: date = strawberry.field(description="The last day it looked at, in the programme's zone.")
    members: int = strawberry.field(description="How many members had ordered.")
    repeaters: int = strawberry.field(description="How many of them on more than one day.")
    redeemers: int = strawberry.field(description="How many members had redeemed points.")
    refused: str | None = strawberry.field(
        description="Why it found no model of orders, so that the one before goes on to be used; null when it did."
    )
    redeeming_refused: str | None = strawberry.field(description="The same for redemptions.")
    parameters: list[PredictionModelParameter] = strawberry.field(description="What it found.")
    days_held_back: int | None = strawberry.field(
        description="By how many days, held back, the model of orders was judged; null without one."
    )
    errors: list[PredictionError] = strawberry.field(description="How good the model of orders was on those days.")

    @classmethod
    def of(cls, row: Any) -> "PredictionRun":
        judged = row.judged
        return cls(
            number=row.id,
            made_at=row.made_at,
            until=row.until,
            members=row.members,
            repeaters=row.repeaters,
            redeemers=row.redeemers,
            refused=row.refused,
            redeeming_refused=row.redeeming_refused,
            parameters=[
                PredictionModelParameter(model=model, name=name, value=_decimal(value))
                for model, found in sorted(row.parameters.items())
                for name, value in sorted(found.items())
                if type(value) is not bool
            ],
            days_held_back=judged.get("days"),
            errors=_errors(judged) if judged else [],
        )


@strawberry.type
class PredictionBasis:
    """The figures of a member that a prediction rests on."""

    until: date = strawberry.field(description="The last day that was looked at.")
    order_days: int = strawberry.field(description="On how many days the member ordered.")
    first_order_on: date = strawberry.field(description="The first of them.")
    last_order_on: date = strawberry.field(description="The last of them.")
    average: Money | None = strawberry.field(
        description="What was paid on a day after the first, on average; null with one day only."
    )


@strawberry.type
class Prediction:
    """What a member is likely to do. An estimate for choosing whom to write to, and no ground to take anything away."""

    withheld: PredictionWithheld | None = strawberry.field(
        description="Why nothing is said of orders; null when something is."
    )
    likely_gone: Decimal | None = strawberry.field(
        description="How likely it is that the member has left, 0 to 1, though nobody has said so."
    )
    points_due: Points | None = strawberry.field(
        description=f"What of the points expires within {AHEAD_DAYS} days, if none of it is redeemed."
    )
    points_likely_lost: Points | None = strawberry.field(
        description="How many of these are likely to expire, by how often the member redeems; null when too few have "
        "redeemed to tell."
    )
    redemptions: int | None = strawberry.field(description="How often the member has redeemed points.")
    _row: strawberry.Private[Any]
    _member_id: strawberry.Private[str]

    @strawberry.field
    async def member(self, info: Info) -> Annotated["Member", strawberry.lazy("graph.member")] | None:
        """The member."""
        from graph.member import Member

        return await Member.find(info, self._member_id)

    @strawberry.field
    async def expected_orders(self, info: Info, weeks: _Weeks = _WEEKS) -> Decimal | None:
        """On how many days the member is expected to order within so many weeks; null if withheld. INVALID_VALUE."""
        days = _days(weeks)
        if self.withheld is not None:
            return None
        buying, _ = models_of(await self._model(info))
        return _decimal(buying.orders(buying_of(self._row), days), 4)

    @strawberry.field
    async def expected_value(self, info: Info, weeks: _Weeks = _WEEKS) -> Money | None:
        """What the member is expected to pay within so many weeks; null if withheld. INVALID_VALUE."""
        days = _days(weeks)
        if self.withheld is not None:
            return None
        buying, spending = models_of(await self._model(info))
        member = buying_of(self._row)
        minor = buying.orders(member, days) * spending.mean(member.repeats, float(self._row.average))
        return Money.of(round(minor), (await info.context.version()).programme.currency)

    @strawberry.field
    async def basis(self, info: Info) -> PredictionBasis | None:
        """What it rests on; null if withheld."""
        if self.withheld is not None:
            return None
        row, currency = self._row, (await info.context.version()).programme.currency
        first = row.until - timedelta(days=row.age_days)
        return PredictionBasis(
            until=row.until,
            order_days=row.repeats + 1,
            first_order_on=first,
            last_order_on=first + timedelta(days=row.recency_days),
            average=Money.of(row.average, currency) if row.repeats else None,
        )

    @strawberry.field
    async def run(self, info: Info) -> PredictionRun | None:
        """The run whose model says so, with its errors; null if withheld."""
        return None if self.withheld is not None else PredictionRun.of(await self._model(info))

    @strawberry.field
    async def suggested_action(self, info: Info) -> SuggestedAction | None:
        """What could be done about it; null where nothing is called for, or nobody is there to write to."""
        from graph.member import Member, MemberStatus

        found = None if self._row is None else _action(self._row)
        member = None if found is None else await Member.find(info, self._member_id)
        if found is None or member is None or member.status is not MemberStatus.ACTIVE:
            return None
        kind, *says = found
        offers = await suggestions_of(info, member, FIRST_MAX)
        offer = next((one for one in offers if kind is SuggestedActionKind.WIN_BACK or one.saves_points), None)
        return SuggestedAction(kind=kind, offer=offer, _says=(says[0], says[1]))

    async def _model(self, info: Info) -> Any:
        found = await info.context.loaders.ask(Rows(PredictionModelRow, ("id",)), (self._row.model,))
        return found[0]

    @classmethod
    def of(cls, member_id: str, row: Any | None, withheld: PredictionWithheld | None = None) -> "Prediction":
        if row is None:
            return cls(
                withheld=withheld or PredictionWithheld.NOT_YET,
                likely_gone=None,
                points_due=None,
                points_likely_lost=None,
                redemptions=None,
                _row=None,
                _member_id=member_id,
            )
        if row.gone == UNKNOWN:
            withheld = PredictionWithheld.NO_ORDERS if row.repeats == UNKNOWN else PredictionWithheld.NO_MODEL
        return cls(
            withheld=withheld,
            likely_gone=None if row.gone == UNKNOWN else _decimal(row.gone / MILLION),
            points_due=Points(row.due),
            points_likely_lost=None if row.lost == UNKNOWN else Points(row.lost),
            redemptions=row.redemptions,
            _row=row,
            _member_id=member_id,
        )


async def prediction_of(info: Info, member_id: str, *, has_left: bool) -> Prediction:
    """What is predicted of a member, or why nothing is."""
    if has_left:
        return Prediction.of(member_id, None, PredictionWithheld.LEFT)
    rows = await info.context.loaders.rows(PredictionRow, member_id)
    return Prediction.of(member_id, rows[0] if rows else None)


@strawberry.type
class PredictionQueries:
    """What can be asked about predictions."""

    @query(allow=STAFF)
    @paged
    async def predictions(
        self,
        info: Info,
        page: Page,
        order: Annotated[PredictionOrder, strawberry.argument(description="By what.")] = PredictionOrder.LIKELY_GONE,
    ) -> Connection[Prediction]:
        """Members by what they are likely to do, the greatest first, for the next thirteen weeks.

        Made once a day; who has left since is listed until the next time. Whoever is likely to lose no points is not
        among those by points.
        """
        return await page_of_all(info, PredictionRow, Prediction.of, page, order.order, [order.where])

    @query(allow={Role.OPERATOR, Role.ANALYST})
    @paged
    async def prediction_runs(self, info: Info, page: Page) -> Connection[PredictionRun]:
        """The runs of the job that fits the models, the latest first: parameters, errors, and what was refused."""
        return await page_of_all(info, PredictionModelRow, lambda _, row: PredictionRun.of(row), page, newest("id"))


def _action(row: Any) -> tuple[SuggestedActionKind, str, str] | None:
    """What is called for, and why, in English and in Chinese: points first, as they are a reason to come back."""
    if row.lost > 0:
        day = row.until + timedelta(days=AHEAD_DAYS)
        return (
            SuggestedActionKind.REMIND_OF_POINTS,
            f"{row.lost} of the {row.due} points that expire until {day} are likely to be lost.",
            f"{day} 前到期的 {row.due} 积分中，预计有 {row.lost} 积分将失效。",
        )
    if row.gone >= _GONE:
        percent, days = row.gone // (MILLION // 100), row.repeats + 1
        last = row.until - timedelta(days=row.age_days - row.recency_days)
        ordered = f"on {days} days, last on {last}" if row.repeats else f"on one day, {last}"
        return (
            SuggestedActionKind.WIN_BACK,
            f"Gone with a likelihood of {percent} %; ordered {ordered}.",
            f"流失的可能性为 {percent}%；共有 {days} 天下单，最近一次为 {last}。",
        )
    return None


def _days(weeks: int) -> int:
    if not 1 <= weeks <= WEEKS_MAX:
        raise InvalidValue(field="weeks", reason=f"it lies between 1 and {WEEKS_MAX}")
    return weeks * 7


def _decimal(value: float, places: int = 6) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _errors(judged: Any) -> list[PredictionError]:
    found = [
        PredictionError(
            figure=figure,
            measure=measure,
            model=_decimal(judged[figure][measure]),
            guess=_decimal(judged[f"{figure}_guess"][measure]),
        )
        for figure in ("orders", "spend")
        for measure in ("mean", "root", "total")
    ]
    return [
        *found,
        PredictionError(
            figure="silent",
            measure="square",
            model=_decimal(judged["silent"]),
            guess=_decimal(judged["silent_guess"]),
        ),
    ]
