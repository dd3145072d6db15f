"""What is read for the predictions, and written, on every database."""

from datetime import date

from tortoise.context import TortoiseContext

from core.books.members import bucket_of
from core.models import PredictionRow, TallyRow
from core.predictions.buying import SpendingModel
from core.predictions.predicting import Counted, Due, Fit, Known, _first_day, _losses, _orders, _write
from core.predictions.redeeming import RedeemingModel
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


def losing(redeeming: RedeemingModel) -> tuple[dict[str, int], dict[str, int]]:
    """What two members lose from 1 June on, whose redemptions take 100 points each."""
    due = {"ann": [Due(3, 100), Due(40, 150), Due(152, 400)], "bob": [Due(29, 50)]}
    known = Known({}, {}, {"ann": date(2025, 6, 1), "bob": date(2025, 6, 1)}, {"ann": (4, 400)}, due)
    taking = SpendingModel(p=1e6, q=1e6, gamma=100.0)
    return _losses(known, Fit(None, None, None, redeeming, taking, None, None), date(2026, 5, 31))


def test_what_is_lost_is_of_the_month_in_which_it_is() -> None:
    # Nobody redeems: all that is due is lost, each in its month.
    assert losing(RedeemingModel(r=1e-9, alpha=1e12)) == (
        {"ann": 150, "bob": 50},
        {"2026-06": 150, "2026-07": 50, "2026-10": 250},
    )


def test_what_is_spent_is_what_is_lost_the_soonest() -> None:
    lost, months = losing(RedeemingModel(r=4.0, alpha=365.0))

    # Some eight redemptions in two years: about four more until October.
    assert 90 < lost["ann"] < 150
    assert 0 < months["2026-07"] < 50
    assert 0 < months["2026-10"] < 250
    assert sum(months.values()) < 450

    assert set(losing(RedeemingModel(r=1e6, alpha=1.0))[1].values()) == {0}
