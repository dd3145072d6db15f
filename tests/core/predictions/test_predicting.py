"""What is read for the predictions, and written, on every database."""

from datetime import date

from tortoise.context import TortoiseContext

from core.books.members import bucket_of
from core.models import PredictionRow, TallyRow
from core.predictions.predicting import Counted, _first_day, _orders, _write
from core.store import Store


async def test_orders_are_added_up_by_day_and_what_came_back_is_none(connected: TortoiseContext) -> None:
    for name, day, amount in (
        ("orders", 20260101, 2), ("orders", 20260203, 1), ("orders", 20260301, 0), ("orders", 20260501, 1),
        ("spend", 20260101, 900), ("spend", 20260203, 500), ("spend", 20260501, 700), ("sign_ins", 20260101, 1),
    ):  # fmt: skip
        await TallyRow.create(bucket=bucket_of("ann"), member_id="ann", name=name, day=day, amount=amount)
    reader = Store().reader()

    found = await _orders(reader, "bucket >= 0 AND bucket < 1024", date(2026, 4, 30))
    later = await _orders(reader, "bucket >= 0 AND bucket < 1024", date(2026, 6, 1))

    assert list(found) == [("ann", Counted(2, date(2026, 1, 1), date(2026, 2, 3), 1_400, 900))]
    assert list(later) == [("ann", Counted(3, date(2026, 1, 1), date(2026, 5, 1), 2_100, 900))]
    assert await _first_day(reader, date(2026, 6, 1)) == date(2026, 1, 1)
    assert await _first_day(reader, date(2025, 6, 1)) is None


async def test_what_is_written_takes_the_place_of_what_was_there(connected: TortoiseContext) -> None:
    def row(id: str, gone: int) -> PredictionRow:
        figures = dict.fromkeys(
            ("repeats", "recency_days", "age_days", "average", "redemptions", "orders", "spend", "due", "lost"), 3
        )
        return PredictionRow(bucket=bucket_of(id), member_id=id, model=1, until=date(2026, 6, 1), gone=gone, **figures)

    assert await _write([row("ann", 5), row("bob", 6)]) == 2
    assert await _write([row("ann", 7), row("eve", -1)]) == 2

    assert {one.member_id: one.gone for one in await PredictionRow.all()} == {"ann": 7, "eve": -1}
