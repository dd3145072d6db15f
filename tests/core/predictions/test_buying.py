"""The models give what their papers print, and the same one by one as all at once."""

from math import comb

import numpy as np
import pytest

from core.predictions.buying import Buying, BuyingModel, SpendingModel
from core.predictions.fitting import (
    LEARNT_FROM_MIN,
    CannotFit,
    Payments,
    Redeeming,
    alike,
    fit_buying,
    fit_redeeming,
    fit_spending,
    score_buying,
    score_losing,
)
from core.predictions.redeeming import RedeemingModel
from examples.data.predict import cdnow, sample, split

PUBLISHED = BuyingModel(r=0.243, alpha=4.414, a=0.793, b=2.426, modified=False)
MODIFIED = BuyingModel(r=0.525, alpha=6.183, a=0.891, b=1.614)


def test_the_published_parameters_of_cdnow_are_found() -> None:
    everybody = cdnow()
    seen = [split(everybody[customer])[0] for customer in sample()]

    model = fit_buying((one.buying for one in seen), modified=False)
    spending = fit_spending([one.payments for one in seen])

    assert len(seen) == 2_357
    # Fader, Hardie and Lee (2005), table 2; Fader and Hardie (2013), section 4.
    assert [round(value, 3) for value in (model.r, model.alpha, model.a, model.b)] == [0.243, 4.414, 0.793, 2.426]
    assert [round(value, 2) for value in (spending.p, spending.q, spending.gamma)] == [6.25, 3.74, 15.44]


def test_the_example_of_the_paper_comes_out() -> None:
    # Customer 0001 of the sample: 2 repeats, the last in week 30.43, known for 38.86 weeks; the next 39.
    expected = PUBLISHED.orders(Buying(2, 213, 272), 273)

    assert round(expected, 3) == 1.226


@pytest.mark.parametrize("model", [PUBLISHED, MODIFIED, BuyingModel(r=3.0, alpha=9.0, a=1.0, b=4.0)])
def test_one_by_one_and_all_at_once_are_the_same(model: BuyingModel) -> None:
    members = [Buying(0, 0, 0), Buying(0, 0, 400), Buying(1, 1, 900), Buying(29, 266, 272), Buying(900, 3_000, 3_650)]

    for days in (1, 91, 728):
        found = score_buying(model, members, days)
        each = [(model.gone(one), model.orders(one, days), model.silent(one, days)) for one in members]
        assert np.allclose(np.array(found).T, np.array(each), rtol=1e-6, atol=1e-9)


def test_who_was_there_just_now_is_likely_there_and_who_came_often_and_stopped_is_not() -> None:
    here, gone = Buying(20, 360, 364), Buying(20, 100, 364)

    assert MODIFIED.gone(here) < 0.1 < 0.9 < MODIFIED.gone(gone)
    assert MODIFIED.orders(here, 91) > 20 * MODIFIED.orders(gone, 91)


def test_only_the_modified_form_lets_a_member_leave_after_one_order() -> None:
    once = Buying(0, 0, 365)

    assert PUBLISHED.gone(once) == 0
    assert 0.3 < MODIFIED.gone(once) < 0.9


def test_more_days_bring_no_less_and_no_days_bring_nothing() -> None:
    for member in (Buying(0, 0, 272), Buying(7, 200, 272)):
        orders = [MODIFIED.orders(member, days) for days in range(0, 730, 7)]
        assert orders[0] == pytest.approx(0, abs=1e-12)
        assert orders == sorted(orders)
        silent = [MODIFIED.silent(member, days) for days in range(0, 730, 7)]
        assert silent[0] == 1
        assert silent == sorted(silent, reverse=True)
        assert silent[-1] > MODIFIED.gone(member)


def test_a_payment_is_between_what_the_member_pays_and_what_all_pay() -> None:
    model = SpendingModel(p=6.25, q=3.74, gamma=15.44)
    of_all = 6.25 * 15.44 / 2.74

    assert model.mean(0, 0.0) == pytest.approx(of_all)
    assert of_all < model.mean(1, 100.0) < model.mean(10, 100.0) < 100.0


@pytest.mark.parametrize("times", [0, 1, 30])
@pytest.mark.parametrize(("points", "days"), [(99, 30), (100, 30), (1_250, 90), (700, 3)])
def test_what_is_lost_is_what_all_numbers_of_redemptions_leave(times: int, points: int, days: int) -> None:
    model, member, each = RedeemingModel(r=2.0, alpha=230.0), Redeeming(times, 100), 100.0

    (lost,) = score_losing(model, [member], [each], [points], [days])

    shape, stays = 2 + times, 330.0 / (330.0 + days)
    chances = [comb(n + shape - 1, n) * stays**shape * (1 - stays) ** n for n in range(int(points // each) + 1)]
    assert lost == pytest.approx(sum(chance * (points - each * n) for n, chance in enumerate(chances)), rel=1e-9)


def test_who_never_redeems_loses_nearly_all_and_nobody_more_than_there_is() -> None:
    model, member = RedeemingModel(r=0.01, alpha=400.0), Redeeming(0, 4_000)

    lost = score_losing(model, [member] * 3, [100.0] * 3, [0, 500, 500], [30, 30, 0])

    assert lost[0] == 0
    assert 495 < lost[1] < 500
    assert lost[2] == 500


def test_where_all_pay_the_same_that_is_expected_of_everybody() -> None:
    model = alike([Payments(1, 10.0), Payments(3, 10.0)])

    assert [model.mean(0, 0.0), model.mean(3, 10.0)] == pytest.approx([10.0, 10.0])


# -- too little, and what no model fits ---------------------------------------------------------------


@pytest.mark.parametrize("modified", [True, False])
def test_with_too_few_who_came_back_nothing_is_fitted(modified: bool) -> None:
    members = [Buying(0, 0, 300)] * 5_000 + [Buying(2, 100, 300)] * (LEARNT_FROM_MIN - 1)

    with pytest.raises(CannotFit, match="99 members to learn from, 100 are needed"):
        fit_buying(members, modified=modified)
    with pytest.raises(CannotFit, match="99 members"):
        fit_spending([Payments(2, 10.0)] * 99 + [Payments(0, 0.0), Payments(3, 0.0)] * 500)
    with pytest.raises(CannotFit, match="99 members"):
        fit_redeeming([Redeeming(1, 300)] * 99 + [Redeeming(0, 300)] * 500)


def test_nobody_at_all_is_too_few() -> None:
    for fit in (fit_buying, fit_redeeming):
        with pytest.raises(CannotFit, match="0 members"):
            fit([])
    with pytest.raises(CannotFit, match="0 members"):
        fit_spending([])


def test_members_who_are_all_the_same_fit_no_spread() -> None:
    with pytest.raises(CannotFit):
        fit_buying([Buying(4, 280, 287)] * 500)
    with pytest.raises(CannotFit):
        fit_spending([Payments(4, 10.0)] * 500)
    # Of this one the limit is a model as well: everybody at the one rate.
    assert fit_redeeming([Redeeming(3, 300)] * 500).times(3, 300, 100) == pytest.approx(1, rel=0.01)


def test_where_nobody_has_left_yet_it_is_likeliest_that_nobody_does() -> None:
    # They differ in how often they buy, and all have bought on the last days.
    members = [Buying(times, 364 - times % 3, 365) for times in range(1, 40) for _ in range(10)]

    model = fit_buying(members)

    assert model.a < 1e-4
    gone, orders, _ = score_buying(model, members, 91)
    assert gone.max() < 0.01
    assert (orders > 0).all()


def test_members_who_all_joined_today_have_no_past() -> None:
    with pytest.raises(CannotFit):
        fit_buying([Buying(0, 0, 0)] * 500)
