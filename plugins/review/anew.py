"""Reviews made again: what was submitted and edited, what a moderator decided, and what was withdrawn.

Of an edited review the table keeps what it says last. So each submission keeps what it said; of one from before it did
that was edited later, nothing can be judged anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from core.engine.operations import Operation, Recorded
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader
from core.store.questions import Rows

from .models import Review
from .operations import ApproveReview, EditReview, RejectReview, SubmitReview, WithdrawReview
from .rules import CHANNEL

_CONTENT: Final = ("rating", "length", "pictures")


class _Known(NamedTuple):
    """A review as it stands, and what is kept of its submission."""

    review: Any
    submission: Recorded

    @property
    def content(self) -> dict[str, Any] | None:
        """What it said when it was submitted; None where that is no longer known."""
        if "rating" in self.submission.result:
            return _content(self.submission.result)
        was_edited = self.review.submitted_at != self.submission.effective_at
        return None if was_edited else _content(self.review._asdict())


async def make(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    """The operations by their ids."""
    known = await _known(reader, past)
    made: dict[str, Operation] = {}
    for each in past:
        found = known.get((each.member_id, each.result["reference"]))
        if found is not None and found.content is not None:
            made[each.id] = _made(each, found, found.content)
    return made


async def _known(reader: Reader, past: Sequence[Past]) -> dict[tuple[str, str], _Known]:
    keys = sorted({(each.bucket, each.member_id, each.result["reference"]) for each in past})
    reviews = await Rows(Review, ("bucket", "member_id", "reference")).answer(reader, keys)
    by_id = {(key[0], key[1], rows[0].transaction_id): rows[0] for key, rows in reviews.items()}
    submissions = await Rows(Recorded, ("bucket", "member_id", "id")).answer(reader, sorted(by_id))
    return {(key[1], by_id[key].reference): _Known(by_id[key], rows[0]) for key, rows in submissions.items()}


def _made(past: Past, known: _Known, submitted: Mapping[str, Any]) -> Operation:
    review = known.review
    match past.kind:
        case SubmitReview.kind:
            return SubmitReview(
                **past.asked,
                **submitted,
                reference=review.reference,
                order=review.order_reference,
                product=review.product,
            )
        case EditReview.kind:
            return EditReview(**past.asked, **_content(past.result), review=review.transaction_id)
        case ApproveReview.kind:
            return ApproveReview(**past.asked, review=review.transaction_id, quality=_quality(past, review))
        case RejectReview.kind:
            return RejectReview(**past.asked, review=review.transaction_id, reason=past.reason)
        case _:
            return WithdrawReview(**past.asked, review=review.transaction_id)


def _content(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in _CONTENT}


def _quality(past: Past, review: Any) -> bool:
    """What the moderator said of it, as the rules saw it."""
    seen = past.result.get("seen")
    quality: bool = review.quality if seen is None else seen["facts"]["review"]["quality"]
    return quality


ANEW: Final = Anew(
    channel=CHANNEL,
    kinds=frozenset({kind.kind for kind in (SubmitReview, EditReview, ApproveReview, RejectReview, WithdrawReview)}),
    make=make,
)
