"""Tags by prediction: after each run of the job, members have those that what was written down of them asks for.

The one way out of here that leads to a member, and a narrow one: the programme says between what a figure must lie
(``core.channels.predicted``), the two are compared here, and an operation brings the name of a tag and nothing else.
Rules do not see such tags (``core.channels.tags.tags_of``), so that nothing is given, taken, judged or priced by them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from core.books.members import BUCKETS, ById, MemberStatus, new_id
from core.channels.predicted import KEPT_DAYS, Predicted
from core.channels.tags import PREDICTED, predicted_tags, set_tags
from core.engine.operations import Operation
from core.engine.work import Work
from core.money import money
from core.predictions.predicting import MILLION, SLICES, UNKNOWN
from core.scheduling.jobs import Run
from core.store.dialect import in_words_of
from core.time.calendar import local_day


@dataclass(frozen=True, kw_only=True)
class TagByPrediction(Operation):
    """Have a member have just these tags by prediction, as far as the programme has them. It refuses nothing."""

    channel: ClassVar[str] = PREDICTED
    kind: ClassVar[str] = "tag"

    tags: tuple[str, ...]

    async def perform(self, work: Work) -> dict[str, Any]:
        offered = predicted_tags(work.programme_now)
        stays = work.member.status != MemberStatus.CLOSED
        tags = [tag for tag in self.tags if stays and tag in offered]
        await set_tags(work, PREDICTED, dict.fromkeys(tags))
        return {"tags": tags}


async def tag(run: Run) -> int:
    """Bring the tags of all members up to date, a part of them at a time; of how many they changed.

    What was done is found done: killed half-way, it goes on where it was.
    """
    asked = predicted_tags(run.programme)
    if not asked:
        return 0
    done, width = 0, BUCKETS // SLICES
    for part in range(SLICES):
        done += await _tag(run, asked, part * width, (part + 1) * width)
    return done


async def _tag(run: Run, asked: Mapping[str, Predicted], first: int, end: int) -> int:
    since = local_day(run.now, run.programme.zone) - timedelta(days=KEPT_DAYS)
    said = await run.reader.query(
        in_words_of(
            run.reader,
            "SELECT p.member_id, p.gone, p.orders, p.spend, p.lost FROM prediction p"
            " JOIN member m ON m.bucket = p.bucket AND m.id = p.member_id"
            " WHERE p.bucket >= ? AND p.bucket < ? AND p.until >= ? AND m.status <> 'closed' AND m.merged_into IS NULL",
        ),
        (first, end, since.isoformat()),
    )
    wanted: dict[str, set[str]] = defaultdict(set)
    for member_id, *figures in said:
        known = _known(figures, run.programme.currency)
        wanted[str(member_id)] = {id for id, predicted in asked.items() if _holds(predicted, known)}
    held: dict[str, set[str]] = defaultdict(set)
    for member_id, name in await run.reader.query(
        in_words_of(
            run.reader,
            "SELECT member_id, tag FROM member_tag WHERE bucket >= ? AND bucket < ? AND source = ? AND held",
        ),
        (first, end, PREDICTED),
    ):
        held[str(member_id)].add(str(name))
    return await run.submit(
        TagByPrediction(
            member=ById(member_id),
            # To have these tags is the same however often it is asked for; who has them is not asked for.
            idempotency_key=new_id(),
            actor=run.actor,
            tags=tuple(id for id in asked if id in wanted[member_id]),
        )
        for member_id in sorted(wanted.keys() | held.keys())
        if wanted[member_id] != held[member_id]
    )


def _known(figures: Sequence[Any], currency: str) -> Mapping[str, Decimal]:
    """What is said of a member, by the names that programmes use."""
    gone, orders, spend, lost = (int(figure) for figure in figures)
    known = {
        "likely_gone": (gone, Decimal(gone) / MILLION),
        "expected_orders": (orders, Decimal(orders) / MILLION),
        "expected_value": (spend, money(spend, currency)),
        "points_likely_lost": (lost, Decimal(lost)),
    }
    return {name: value for name, (kept, value) in known.items() if kept != UNKNOWN}


def _holds(predicted: Predicted, known: Mapping[str, Decimal]) -> bool:
    return all(name in known and limits.hold(known[name]) for name, limits in predicted.limits())
