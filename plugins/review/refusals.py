"""What the review channel answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact


class ReviewsNotOffered(Refusal):
    """The programme in force has no review section."""

    code = "REVIEWS_NOT_OFFERED"
    says = "the programme in force at {at} rewards no reviews"
    says_zh = "{at} 生效的规则没有评价奖励"
    at: datetime = fact("The time of the review.")


class ReviewNotFound(NotFound):
    """No such review of this member."""

    code = "REVIEW_NOT_FOUND"
    says = "no review {review}"
    says_zh = "没有评价 {review}"
    review: str = fact("The review that was asked for.")


class ReviewAlreadySubmitted(Refusal):
    """The review was submitted before, with another idempotency key. To change it, edit it."""

    code = "REVIEW_ALREADY_SUBMITTED"
    says = "review {reference} was submitted before, by transaction {transaction}"
    says_zh = "评价 {reference} 已由交易 {transaction} 提交"
    reference: str = fact("The review's reference.")
    transaction: str = fact("The transaction that recorded it.")


class TooManyReviews(Refusal):
    """The member has submitted as many reviews today as the programme allows."""

    code = "TOO_MANY_REVIEWS"
    says = "{limit} review(s) a day; again from {resets_at}"
    says_zh = "每天 {limit} 条评价；{resets_at} 后可再次评价"
    limit: int = fact("How many reviews a member may submit in a day.")
    resets_at: datetime | None = fact("When the next day begins.")


class ReviewWithdrawn(Refusal):
    """The review was withdrawn."""

    code = "REVIEW_WITHDRAWN"
    says = "review {reference} was withdrawn"
    says_zh = "评价 {reference} 已撤回"
    reference: str = fact("The review's reference.")


class ReviewNotPending(Refusal):
    """The review has been decided."""

    code = "REVIEW_NOT_PENDING"
    says = "review {reference} is {status}"
    says_zh = "评价 {reference} 的状态为 {status}"
    reference: str = fact("The review's reference.")
    status: str = fact("approved, rejected or withdrawn.")


REFUSALS: list[type[Refusal]] = [
    ReviewsNotOffered,
    ReviewNotFound,
    ReviewAlreadySubmitted,
    TooManyReviews,
    ReviewWithdrawn,
    ReviewNotPending,
]
