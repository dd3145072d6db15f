"""Reviews in the schema."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from graph.vocabulary import (
    ACTING,
    ID,
    STAFF,
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
    Where,
    actor,
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
)

from .models import Review
from .operations import (
    APPROVED,
    PENDING,
    REJECTED,
    WITHDRAWN,
    ApproveReview,
    EditReview,
    RejectReview,
    SubmitReview,
    WithdrawReview,
)
from .refusals import ReviewNotFound

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_REVIEW = "The review's id."


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class ReviewContentInput:
    """What is said of a review's content. Its text stays with you."""

    rating: int = strawberry.field(description="From 1 to 5.")
    length: int = strawberry.field(default=0, description="How many characters its text has.")
    pictures: int = strawberry.field(default=0, description="How many pictures it has, at most 100.")


@strawberry.input
class SubmitReviewInput:
    """A review that was written."""

    member: MemberByInput = strawberry.field(description="Who wrote it.")
    reference: str = strawberry.field(description="Your number of the review, 1 to 128 characters.")
    content: ReviewContentInput = strawberry.field(description="What is said of its content.")
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the review: review:<reference>.")
    order: str | None = strawberry.field(default=None, description="Your number of the order that it is about.")
    product: str | None = strawberry.field(default=None, description="Your number of the goods that it is about.")


@strawberry.input
class EditReviewInput:
    """A review that was written anew."""

    review: ID = strawberry.field(description=_REVIEW)
    content: ReviewContentInput = strawberry.field(description="What is said of its content now.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class WithdrawReviewInput:
    """A review that its member has deleted."""

    review: ID = strawberry.field(description=_REVIEW)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ApproveReviewInput:
    """A review that may stand."""

    review: ID = strawberry.field(description=_REVIEW)
    quality: bool = strawberry.field(
        default=False, description="Whether it is a particularly good one, for which the programme may give more."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class RejectReviewInput:
    """A review that may not stand, or no longer."""

    review: ID = strawberry.field(description=_REVIEW)
    reason: str = strawberry.field(description="Why, 3 to 1000 characters. The member can read it.")
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class ReviewStatus(Enum):
    """Where a review stands."""

    PENDING = strawberry.enum_value(PENDING, description="It waits for a moderator.")
    APPROVED = strawberry.enum_value(APPROVED, description="It stands.")
    REJECTED = strawberry.enum_value(REJECTED, description="A moderator does not let it stand.")
    WITHDRAWN = strawberry.enum_value(WITHDRAWN, description="Its member has deleted it.")


@strawberry.type
class ReviewAward:
    """What a review has brought of one unit."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    points: Points = strawberry.field(description="How much, less what was taken back of it.")


@strawberry.type(name="Review")
class ReviewNode(Node):
    """A review, without its text."""

    reference: str = strawberry.field(description="Your number of the review.")
    order: str | None = strawberry.field(description="Your number of the order that it is about.")
    product: str | None = strawberry.field(description="Your number of the goods that it is about.")
    rating: int = strawberry.field(description="From 1 to 5.")
    length: int = strawberry.field(description="How many characters its text has.")
    pictures: int = strawberry.field(description="How many pictures it has.")
    status: ReviewStatus = strawberry.field(description="Where it stands.")
    is_quality: bool = strawberry.field(description="Whether a moderator found it particularly good.")
    reason: str | None = strawberry.field(description="Why it was rejected.")
    submitted_at: datetime = strawberry.field(description="When it was submitted, or last edited.")
    decided_at: datetime | None = strawberry.field(description="When it was approved, rejected or withdrawn.")
    awards: list[ReviewAward] = strawberry.field(description="What it has brought, by unit.")
    _member_id: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "ReviewNode":
        return cls(
            id=global_id("Review", member_id, row.transaction_id),
            reference=row.reference,
            order=row.order_reference,
            product=row.product,
            rating=row.rating,
            length=row.length,
            pictures=row.pictures,
            status=ReviewStatus(row.status),
            is_quality=row.quality,
            reason=row.reason,
            submitted_at=row.submitted_at,
            decided_at=row.decided_at,
            awards=[ReviewAward(unit=unit, points=Points(award["kept"])) for unit, award in row.awards.items()],
            _member_id=member_id,
            _transaction_id=row.transaction_id,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "ReviewNode | None":
        match parts:
            case (member_id, transaction_id) if may_see(info, member_id):
                found = await info.context.loaders.rows(Review, member_id, transaction_id=transaction_id)
                return cls.of(member_id, found[0]) if found else None
            case _:
                return None

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Who wrote it."""
        return await Member.find(info, self._member_id)

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that submitted it."""
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type
class ReviewPayload(Payload):
    """What became of a review."""

    review: ReviewNode | None = strawberry.field(
        default=None, description="The review as it is now; null when the request was refused."
    )


@strawberry.type
class SubmitReviewPayload(ReviewPayload):
    """What became of submitting a review."""


@strawberry.type
class EditReviewPayload(ReviewPayload):
    """What became of editing a review."""


@strawberry.type
class WithdrawReviewPayload(ReviewPayload):
    """What became of withdrawing a review."""


@strawberry.type
class ApproveReviewPayload(ReviewPayload):
    """What became of approving a review. The transaction's entries say what it brought."""


@strawberry.type
class RejectReviewPayload(ReviewPayload):
    """What became of rejecting a review."""


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class ReviewQueries:
    """What can be asked about reviews."""

    @query(allow=STAFF)
    @paged
    async def reviews(
        self,
        info: Info,
        page: Page,
        status: Annotated[ReviewStatus, strawberry.argument(description="Where they stand.")] = ReviewStatus.PENDING,
    ) -> Connection[ReviewNode]:
        """The reviews of all members that stand so, the oldest first: the moderators' queue."""
        where = [Where("status = ?", (str(status.value),))]
        return await page_of_all(info, Review, ReviewNode.of, page, oldest("transaction_id"), where)


@strawberry.type
class ReviewMemberFields:
    """What a member has of reviews."""

    @strawberry.field
    @paged
    async def reviews(self, info: Info, page: Page) -> Connection[ReviewNode]:
        """The member's reviews, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> ReviewNode:
            return ReviewNode.of(member_id, row)

        return await page_of_member(info, Review, member_id, node, page, newest("transaction_id"))


@strawberry.type
class ReviewMutations:
    """What can be done about reviews."""

    @mutation(allow=ACTING)
    async def submit_review(self, info: Info, input: SubmitReviewInput) -> SubmitReviewPayload:
        """Record a review that was written. It waits for a moderator, and earns when it is approved."""
        operation = SubmitReview(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reference=input.reference,
            order=input.order,
            product=input.product,
            rating=input.content.rating,
            length=input.content.length,
            pictures=input.content.pictures,
        )
        return await perform(info, operation, SubmitReviewPayload, lambda outcome: _review(info, outcome))

    @mutation(allow=ACTING)
    async def edit_review(self, info: Info, input: EditReviewInput) -> EditReviewPayload:
        """Record that a review was written anew. It waits for a moderator again; what it brought stays until then."""
        member, review = _named(info, input.review)
        operation = EditReview(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            review=review,
            rating=input.content.rating,
            length=input.content.length,
            pictures=input.content.pictures,
        )
        return await perform(info, operation, EditReviewPayload, lambda outcome: _review(info, outcome))

    @mutation(allow=ACTING)
    async def withdraw_review(self, info: Info, input: WithdrawReviewInput) -> WithdrawReviewPayload:
        """Record that a member has deleted a review. What it brought is taken back."""
        member, review = _named(info, input.review)
        operation = WithdrawReview(
            member=member, idempotency_key=input.idempotency_key, actor=actor(info), review=review
        )
        return await perform(info, operation, WithdrawReviewPayload, lambda outcome: _review(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def approve_review(self, info: Info, input: ApproveReviewInput) -> ApproveReviewPayload:
        """Let a review stand. It earns what it is worth beyond what reviews of the same thing have brought."""
        member, review = _named(info, input.review)
        operation = ApproveReview(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            review=review,
            quality=input.quality,
        )
        return await perform(info, operation, ApproveReviewPayload, lambda outcome: _review(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def reject_review(self, info: Info, input: RejectReviewInput) -> RejectReviewPayload:
        """Do not let a review stand, or no longer. What it brought is taken back."""
        member, review = _named(info, input.review)
        operation = RejectReview(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            review=review,
            reason=input.reason,
        )
        return await perform(info, operation, RejectReviewPayload, lambda outcome: _review(info, outcome))


def _named(info: Info, id: str) -> tuple[ById, str]:
    """The member and the raw id in a review's id. Raises InvalidId, and ReviewNotFound for somebody else's."""
    member_id, review = parts_of(id, "Review", 2)
    if not may_see(info, member_id):
        raise ReviewNotFound(review=id)
    return ById(member_id), review


async def _review(info: Info, outcome: Outcome) -> dict[str, ReviewNode]:
    assert outcome.member_id is not None
    reference = outcome.result["reference"]
    (row,) = await info.context.loaders.rows(Review, outcome.member_id, reference=reference)
    return {"review": ReviewNode.of(outcome.member_id, row)}
