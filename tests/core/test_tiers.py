from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.ladder.tiers import FACTS, CriterionProgress, FactKind, Ladder, Need, Progress
from core.time.calendar import add_months
from core.time.windows import LIFETIME, Window
from tests.core.shop import example

YEAR = Window(months=12)


def ladder_of(name: str) -> Ladder:
    ladder = example(name).tiers
    assert ladder is not None
    return ladder


def growth(growth_earned: int, orders: int) -> dict[Need, Decimal | int]:
    return {Need("growth_earned", YEAR): growth_earned, Need("orders", YEAR): orders}


def sme(points: int, orders: int = 0, spend: str = "0", orders_in_year: int = 0) -> dict[Need, Decimal | int]:
    return {
        Need("points_earned", LIFETIME): points,
        Need("orders", Window(months=1)): orders,
        Need("spend", YEAR): Decimal(spend),
        Need("orders", YEAR): orders_in_year,
    }


def refusal(*tiers: Mapping[str, Any], **settings: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Ladder.model_validate({"ladder": list(tiers), **settings})
    return str(refused.value.errors()[0]["msg"])


def tier(tier_id: str, *criteria: tuple[Any, ...], mode: str = "all") -> dict[str, Any]:
    if not criteria:
        return {"id": tier_id}
    return {"id": tier_id, mode: [dict(zip(("fact", "at_least", "window"), c, strict=False)) for c in criteria]}


@pytest.mark.parametrize(
    ("growth_earned", "orders", "reached"),
    [
        (0, 0, "regular"),
        (999, 3, "regular"),
        (1000, 2, "regular"),
        (1000, 3, "silver"),
        (4999, 10, "silver"),
        (5000, 9, "silver"),
        (5000, 10, "gold"),
        (19999, 30, "gold"),
        (20000, 29, "gold"),
        (20000, 30, "platinum"),
        (999999, 999, "platinum"),
    ],
)
def test_growth_tiers_ask_for_growth_and_frequency(growth_earned: int, orders: int, reached: str) -> None:
    assert ladder_of("growth-tiers").evaluate(growth(growth_earned, orders)) == reached


@pytest.mark.parametrize(
    ("facts", "reached"),
    [
        (sme(0), "bronze"),
        (sme(500), "bronze"),
        (sme(501), "silver"),
        (sme(1500), "silver"),
        (sme(1501), "gold"),
        (sme(3000), "gold"),
        (sme(3001), "diamond"),
        (sme(0, orders=1), "bronze"),
        (sme(0, orders=2), "silver"),
        # An average of exactly 200 is not above it.
        (sme(0, spend="400.00", orders_in_year=2), "bronze"),
        (sme(0, spend="400.02", orders_in_year=2), "gold"),
        (sme(0, spend="400.01", orders_in_year=2), "gold"),
        (sme(0, spend="-5.00", orders_in_year=0), "bronze"),
    ],
)
def test_small_business_tiers_can_be_reached_in_several_ways(facts: Mapping[Need, Decimal | int], reached: str) -> None:
    assert ladder_of("sme").evaluate(facts) == reached


def test_a_ladder_asks_for_the_parts_of_a_quotient() -> None:
    assert ladder_of("sme").needs() == set(sme(0))
    assert ladder_of("growth-tiers").needs() == set(growth(0, 0))


def test_progress_shows_every_criterion_of_the_next_tier() -> None:
    progress = ladder_of("growth-tiers").progress(growth(2600, 9), "silver")

    assert (progress.tier, progress.next, progress.mode) == ("silver", "gold", "all")
    by_growth, by_orders = progress.criteria
    assert by_growth == CriterionProgress(
        fact="growth_earned",
        window=YEAR,
        current=Decimal(2600),
        required=Decimal(5000),
        remaining=Decimal(2400),
        ratio=Decimal("0.5200"),
    )
    assert (by_orders.current, by_orders.required, by_orders.ratio) == (Decimal(9), Decimal(10), Decimal("0.9"))
    # As far away as the farthest criterion.
    assert progress.ratio == Decimal("0.5200")


def test_any_criterion_that_is_enough_fills_the_bar() -> None:
    progress = ladder_of("sme").progress(sme(100, orders=1), "bronze")

    assert [criterion.ratio for criterion in progress.criteria] == [Decimal("0.1996"), Decimal("0.5000")]
    assert (progress.mode, progress.ratio) == ("any", Decimal("0.5000"))


@pytest.mark.parametrize(
    ("current", "ratio", "remaining"),
    [(-50, "0", 1050), (0, "0", 1000), (333, "0.333", 667), (999, "0.999", 1), (1000, "1", 0), (5000, "1", 0)],
)
def test_a_bar_is_full_exactly_at_the_threshold(current: int, ratio: str, remaining: int) -> None:
    ladder = Ladder.model_validate({"ladder": [tier("a"), tier("b", ("points_earned", 1000))]})

    progress = ladder.progress({Need("points_earned", LIFETIME): current}, "a")

    assert (progress.ratio, progress.criteria[0].remaining) == (Decimal(ratio), Decimal(remaining))
    assert (progress.ratio == 1) == (ladder.evaluate({Need("points_earned", LIFETIME): current}) == "b")


def test_a_bar_is_rounded_down_so_that_it_is_never_full_too_early() -> None:
    ladder = Ladder.model_validate({"ladder": [tier("a"), tier("b", ("points_earned", 1_000_000))]})

    assert ladder.progress({Need("points_earned", LIFETIME): 999_999}, "a").ratio == Decimal("0.9999")


def test_an_average_is_shown_with_four_places() -> None:
    progress = ladder_of("sme").progress(sme(600, spend="500.00", orders_in_year=3), "silver")

    average = progress.criteria[1]
    assert (average.fact, average.current, average.required) == (
        "average_order",
        Decimal("166.6666"),
        Decimal("200.0001"),
    )


def test_nothing_follows_the_highest_tier() -> None:
    assert ladder_of("sme").progress(sme(9999), "diamond") == Progress("diamond", None, None, (), Decimal(1))


def test_a_tier_the_ladder_does_not_have_is_a_defect() -> None:
    with pytest.raises(KeyError):
        ladder_of("sme").progress(sme(0), "platinum")


@given(st.integers(0, 30000), st.integers(0, 40), st.integers(0, 30000), st.integers(0, 40))
def test_more_never_lowers_a_tier(growth_earned: int, orders: int, more_growth: int, more_orders: int) -> None:
    ladder = ladder_of("growth-tiers")
    ranks = [rung.id for rung in ladder.ladder]

    before = ladder.evaluate(growth(growth_earned, orders))
    after = ladder.evaluate(growth(growth_earned + more_growth, orders + more_orders))

    assert ranks.index(after) >= ranks.index(before)


# -- windows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "on", "start"),
    [
        (Window(months=12), "2026-11-22", "2025-11-23"),
        (Window(months=1), "2026-03-15", "2026-02-16"),
        (Window(months=1), "2026-02-28", "2026-02-01"),
        (Window(months=1), "2026-03-30", "2026-03-01"),
        (Window(months=12), "2028-02-29", "2027-03-01"),
        (Window(months=12), "2029-02-28", "2028-03-01"),
        (Window(days=1), "2026-11-22", "2026-11-22"),
        (Window(days=30), "2026-11-22", "2026-10-24"),
    ],
)
def test_a_window_begins_the_day_after_the_same_day_before(window: Window, on: str, start: str) -> None:
    assert window.start(date.fromisoformat(on)) == date.fromisoformat(start)


def test_a_lifetime_begins_nowhere() -> None:
    assert LIFETIME.start(date(2026, 11, 22)) is None
    assert [str(window) for window in (LIFETIME, YEAR, Window(days=30))] == ["lifetime", "12 months", "30 days"]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60), st.integers(-70, 70))
def test_a_window_counts_what_a_lot_of_as_many_months_still_holds(on: date, months: int, offset: int) -> None:
    day = add_months(on, -months) + timedelta(days=offset)
    start = Window(months=months).start(on)
    assert start is not None

    assert (day >= start) == (on < add_months(day, months))


# -- what cannot be published -----------------------------------------------------------------------

POINTS_5 = ("points_earned", 5)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ([tier("a", POINTS_5)], "the first tier is where everyone starts; it has no criteria"),
        ([tier("a"), tier("b")], "tier 'b' has no criteria"),
        ([tier("a"), tier("a", POINTS_5)], "two tiers have one id"),
        (
            [tier("a"), tier("b", ("points_earned", 10)), tier("c", POINTS_5)],
            "tier 'c' asks for points_earned of 5, less than 'b' below it with 10",
        ),
        (
            [tier("a"), tier("b", POINTS_5), tier("c", POINTS_5)],
            "tier 'c' asks for the same as a tier below it, which no one could be in",
        ),
        ([tier("a"), tier("b", ("point_earned", 5))], "unknown fact 'point_earned', did you mean 'points_earned'?"),
        ([tier("a"), tier("b", ("orders", "2.5"))], "orders is counted in whole numbers"),
        ([tier("a"), tier("b", ("orders", 0))], "at_least must be more than 0"),
        ([tier("a"), tier("b", ("orders", 2.5))], 'a number with a point must be quoted: "1.2"'),
        ([tier("a"), tier("b", ("orders", 5, {"weeks": 2}))], "a window is lifetime, {months: n} or {days: n}"),
        ([tier("a"), tier("b", ("orders", 5, {"months": True}))], "a window is lifetime, {months: n} or {days: n}"),
        (
            [tier("a"), tier("b", ("orders", 5, {"months": 1, "days": 2}))],
            "a window is lifetime, {months: n} or {days: n}",
        ),
        (
            [tier("a"), {**tier("b", POINTS_5), **tier("b", POINTS_5, mode="any")}],
            "has criteria under all or under any, not both",
        ),
        ([tier("a"), {**tier("b", POINTS_5), "keep": {}}], "Extra inputs are not permitted"),
    ],
)
def test_a_ladder_that_cannot_be_climbed_is_refused(tiers: list[dict[str, Any]], message: str) -> None:
    assert refusal(*tiers) == message


def test_the_same_threshold_over_another_window_is_another_criterion() -> None:
    ladder = Ladder.model_validate(
        {
            "window": {"months": 12},
            "ladder": [tier("a"), tier("b", ("orders", 10)), tier("c", ("orders", 5, {"days": 30}))],
        }
    )

    assert ladder.needs() == {Need("orders", YEAR), Need("orders", Window(days=30))}


def test_channels_may_bring_facts_of_their_own() -> None:
    facts = {**FACTS, "reviews": FactKind("reviews approved")}

    ladder = Ladder.model_validate({"ladder": [tier("a"), tier("b", ("reviews", 5))]}, context=facts)

    assert ladder.evaluate({Need("reviews", LIFETIME): 5}) == "b"
    assert ladder.entry == "a"
