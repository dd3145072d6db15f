"""What can be done about a review: its member submits, edits and withdraws it; a moderator approves or rejects it.

A thing earns once, however often it is reviewed: an approval brings what the review is worth beyond what reviews of the
same thing have brought and kept. What was taken back can be earned again, but does not live longer for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.books.lots import Lot
from core.channels.awards import Awarded, earn_by_rules
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.people.membership import check_reason
from core.rulebook.rules import Activity
from core.time.calendar import day_start, next_day

from .models import Review
from .refusals import (
    ReviewAlreadySubmitted,
    ReviewNotFound,
    ReviewNotPending,
    ReviewsNotOffered,
    ReviewWithdrawn,
    TooManyReviews,
)
from .rules import CHANNEL, REVIEWS, MemberFacts, ReviewFacts, ReviewSettings

SUBMITTED: Final = "reviews_submitted"

REFERENCE_MAX: Final = 128
LENGTH_MAX: Final = 100_000
PICTURES_MAX: Final = 100
RATING_MAX: Final = 5

PENDING: Final = "pending"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class _Written(Operation):
    """What is said of a review's content; its text stays with the brand."""

    channel: ClassVar[str] = CHANNEL

    rating: int
    length: int
    pictures: int

    @property
    def content(self) -> dict[str, int]:
        """For the result: the review's row says only what was written last."""
        return {"rating": self.rating, "length": self.length, "pictures": self.pictures}

    def check(self, work: Work) -> None:
        """Raise MemberNotActive, MemberFrozen, or InvalidValue unless the content can be meant."""
        work.check_may_earn()
        for name, value, least, most in (
            ("rating", self.rating, 1, RATING_MAX),
            ("length", self.length, 0, LENGTH_MAX),
            ("pictures", self.pictures, 0, PICTURES_MAX),
        ):
            if type(value) is not int or not least <= value <= most:
                raise InvalidValue(field=name, reason=f"it must be a whole number from {least} to {most}")


@dataclass(frozen=True, kw_only=True)
class SubmitReview(_Written):
    """A review was written, and waits for a moderator.

    Refuses ReviewAlreadySubmitted, TooManyReviews, ReviewsNotOffered, MemberNotActive, MemberFrozen, InvalidValue.
    """

    kind: ClassVar[str] = "submit"

    reference: str
    order: str | None = None
    product: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        self.check(work)
        _check_text("reference", self.reference)
        for name, text in (("order", self.order), ("product", self.product)):
            if text is not None:
                _check_text(name, text)
            elif name in settings.once_per:
                raise InvalidValue(field=name, reason="the programme asks for it, as it earns once")
        if found := await work.rows(Review, reference=self.reference):
            raise ReviewAlreadySubmitted(reference=self.reference, transaction=found[0].transaction_id)
        today = work.today
        if await work.counted(SUBMITTED, since=today, until=today) >= settings.a_day:
            resets_at = day_start(next_day(today), work.programme.zone)
            raise TooManyReviews(limit=settings.a_day, resets_at=resets_at)
        work.count(SUBMITTED, 1)
        work.add(
            Review,
            reference=self.reference,
            transaction_id=work.operation_id,
            order_reference=self.order,
            product=self.product,
            rating=self.rating,
            length=self.length,
            pictures=self.pictures,
            status=PENDING,
            quality=False,
            reason=None,
            moderator=None,
            submitted_at=work.now,
            decided_at=None,
            approved_at=None,
            paid_at=None,
            awards={},
        )
        work.tell("review.submitted", reference=self.reference)
        return {"reference": self.reference, **self.content}


@dataclass(frozen=True, kw_only=True)
class EditReview(_Written):
    """A review was written anew, and waits for a moderator again; what it has brought stays until then.

    ``review`` is its id. Refuses ReviewNotFound, ReviewWithdrawn, ReviewsNotOffered, MemberNotActive, MemberFrozen,
    InvalidValue.
    """

    kind: ClassVar[str] = "edit"

    review: str

    async def perform(self, work: Work) -> dict[str, Any]:
        _settings(work)
        self.check(work)
        review = await _find(work, self.review)
        if review.status == WITHDRAWN:
            raise ReviewWithdrawn(reference=review.reference)
        review.rating, review.length, review.pictures = self.rating, self.length, self.pictures
        review.status, review.quality, review.submitted_at = PENDING, False, work.now
        review.reason = review.moderator = review.decided_at = None
        work.save(review)
        work.tell("review.submitted", reference=review.reference)
        return {"reference": review.reference, **self.content}


@dataclass(frozen=True, kw_only=True)
class WithdrawReview(Operation):
    """A review was deleted by who wrote it; what it brought is taken back. Refuses ReviewNotFound, ReviewWithdrawn."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "withdraw"

    review: str

    async def perform(self, work: Work) -> dict[str, Any]:
        review = await _find(work, self.review)
        if review.status == WITHDRAWN:
            raise ReviewWithdrawn(reference=review.reference)
        taken_back = await _take_back(work, review)
        _stand_no_longer(work, review)
        review.status, review.decided_at = WITHDRAWN, work.now
        work.save(review)
        work.tell("review.withdrawn", reference=review.reference)
        return {"reference": review.reference, "taken_back": taken_back}


@dataclass(frozen=True, kw_only=True)
class ApproveReview(Operation):
    """A moderator lets the review stand, and it earns by the rules that were in force when it was submitted.

    Refuses ReviewNotFound, ReviewNotPending, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "approve"

    review: str
    quality: bool = False

    async def perform(self, work: Work) -> dict[str, Any]:
        review = await _find(work, self.review)
        if review.status != PENDING:
            raise ReviewNotPending(reference=review.reference, status=review.status)
        work.judge_at(review.submitted_at)
        settings = _settings(work)
        review.status, review.quality, review.reason = APPROVED, self.quality, None
        review.moderator, review.decided_at = self.actor[:200], work.now
        awarded = await _earn(work, review, settings)
        if review.approved_at is None:
            review.approved_at = work.now
            work.count(REVIEWS, 1)
        work.save(review)
        work.tell("review.approved", reference=review.reference, rating=review.rating, pictures=review.pictures)
        return {
            "reference": review.reference,
            "awards": awarded.points,
            "trace": awarded.trace,
            "seen": awarded.seen,
        }


@dataclass(frozen=True, kw_only=True)
class RejectReview(Operation):
    """A moderator does not let the review stand, or no longer; what it brought is taken back.

    Refuses ReviewNotFound, ReviewNotPending, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "reject"
    reaches_merged: ClassVar[bool] = True

    review: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        review = await _find(work, self.review)
        if review.status not in {PENDING, APPROVED}:
            raise ReviewNotPending(reference=review.reference, status=review.status)
        taken_back = await _take_back(work, review)
        _stand_no_longer(work, review)
        review.status, review.quality, review.reason = REJECTED, False, self.reason
        review.moderator, review.decided_at = self.actor[:200], work.now
        work.save(review)
        work.tell("review.rejected", reference=review.reference, reason=self.reason)
        return {"reference": review.reference, "reason": self.reason, "taken_back": taken_back}


# -- what a review brings -----------------------------------------------------------------------------


async def _earn(work: Work, review: Review, settings: ReviewSettings) -> Awarded:
    """Let the review bring what it is worth beyond what its thing has brought; take back what it is worth less."""
    facts = {
        "review": ReviewFacts(review.rating, review.length, review.pictures, review.quality, review.submitted_at),
        "member": MemberFacts(work.member.tier),
    }
    same = [row for row in await _same_thing(work, review, settings) if row.reference != review.reference]
    activity = Activity(CHANNEL, review.submitted_at, facts)
    given: dict[str, int] = {}
    for unit, rules in settings.earn.items():
        kept = review.awards[unit]["kept"] if unit in review.awards else 0
        others = sum(row.awards[unit]["kept"] for row in same if unit in row.awards)
        if excess := min(max(kept + others - rules.award(activity).points, 0), kept):
            await _take_back(work, review, {unit: excess})
            kept -= excess
        given[unit] = kept + others
    paid = [row.paid_at for row in [*same, review] if row.paid_at is not None]
    earned_at = min(paid, default=work.now)
    awarded = await earn_by_rules(
        work, CHANNEL, settings.earn, facts, at=review.submitted_at, given=given, earned_at=earned_at
    )
    awards = dict(review.awards)
    for unit, points in awarded.points.items():
        if points:
            before = awards.get(unit, {"kept": 0, "lots": []})
            awards[unit] = {"kept": before["kept"] + points, "lots": [*before["lots"], *awarded.lots[unit]]}
            review.paid_at = review.paid_at or work.now
    review.awards = awards
    return awarded


async def _same_thing(work: Work, review: Review, settings: ReviewSettings) -> list[Any]:
    """The member's reviews of the thing that earns once."""
    columns = {"order": "order_reference", "product": "product"}
    by = {columns[part]: getattr(review, columns[part]) for part in settings.once_per}
    # A later version may ask for what the review was not asked when it was first submitted.
    named = {column: value for column, value in by.items() if value is not None}
    return await work.rows(Review, **(named or {"reference": review.reference}))


async def _take_back(work: Work, review: Review, amounts: Mapping[str, int] | None = None) -> dict[str, int]:
    """Take back all that the review has brought, or these amounts; what was asked for, by unit."""
    awards, asked = dict(review.awards), {}
    for unit, award in review.awards.items():
        lots: list[Lot] = [lot for seq in award["lots"] for lot in await work.rows(Lot, unit=unit, seq=seq)]
        # An operator's reversal may have taken some already.
        left = sum(lot.amount - lot.clawed for lot in lots)
        wanted = min(award["kept"] if amounts is None else amounts.get(unit, 0), left)
        if wanted:
            result = await work.claw_back(wanted, award["lots"], unit=unit)
            # What had expired, or cannot be collected, the member has had: the thing does not earn it again.
            awards[unit] = {**award, "kept": award["kept"] - result.taken - result.debt}
            asked[unit] = wanted
    review.awards = awards
    return asked


def _stand_no_longer(work: Work, review: Review) -> None:
    if review.approved_at is not None:
        work.count(REVIEWS, -1, at=review.approved_at)
        review.approved_at = None


# -- what is asked for --------------------------------------------------------------------------------


def _settings(work: Work) -> ReviewSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise ReviewsNotOffered(at=work.now)
    assert isinstance(settings, ReviewSettings)
    return settings


async def _find(work: Work, id: str) -> Review:
    rows = await work.rows(Review, transaction_id=id)
    review = await work.find(Review, reference=rows[0].reference) if rows else None
    if review is None:
        raise ReviewNotFound(review=id[:100])
    return review


def _check_text(field: str, text: str) -> None:
    if not 0 < len(text) <= REFERENCE_MAX:
        raise InvalidValue(field=field, reason=f"it must have 1 to {REFERENCE_MAX} characters")
    if not text.isprintable() or text != text.strip():
        raise InvalidValue(field=field, reason="it has characters that cannot be seen, or space around it")
