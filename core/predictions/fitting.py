"""Fitting the models to all members, and scoring all of them at once. Needs the extra ``laurel[predictions]``.

Nothing here knows of a database or of an event loop: counted days in, parameters and figures out. Members with the same
days are one row with a weight, and the work is done by NumPy, so that a hundred thousand members take seconds.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betainc, betaln, gammaln, hyp2f1

from core.predictions.buying import WEEK_DAYS, Buying, BuyingModel, SpendingModel
from core.predictions.redeeming import RedeemingModel

Floats = NDArray[np.float64]

LEARNT_FROM_MIN: Final = 100
"""With fewer members who came back (or redeemed) nothing is fitted: rates could not be told from chance."""

_BOUND: Final = 12.0
"""Logarithms of parameters lie within this; a fit at the edge has found none."""
_INNER: Final = 8.0
"""Within this they lie where members differ, though one parameter has vanished."""
_ALIKE: Final = 1e9
"""So large a shape that members differ no more."""
_EDGE: Final = 0.01
_ITERATIONS_MAX: Final = 2_000


class CannotFit(Exception):
    """There is too little to fit a model to, or none fits; it says which."""

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__(f"{model}: {reason}")


class Payments(NamedTuple):
    """How often a member has paid, and how much on average."""

    times: int
    average: float


class Redeeming(NamedTuple):
    """How often a member has redeemed points since joining, so many days ago."""

    times: int
    age_days: int


def fit_buying(members: Iterable[Buying], *, modified: bool = True, least: int = LEARNT_FROM_MIN) -> BuyingModel:
    """The most likely model of when members buy. Raises CannotFit."""
    name = "MBG/NBD" if modified else "BG/NBD"
    x, recency, age, weight = _weighted(members)
    _check_enough(name, weight[x > 0].sum(), least)
    recency, age = recency / WEEK_DAYS, age / WEEK_DAYS
    again = x > 0
    total = weight.sum()

    def unlikely(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        beta = b + (1.0 if modified else 0.0)
        stayed = betaln(a, beta + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = betaln(a + 1.0, beta + x - 1.0) - betaln(a, b) - (r + x) * np.log(alpha + recency)
        if not modified:
            left = np.where(again, left, -np.inf)
        each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + np.logaddexp(stayed, left)
        return float(-(weight * each).sum() / total)

    # Rates begin at what is counted, so that the search does not depend on how often members buy.
    rate = max(float((weight * x).sum() / max((weight * age).sum(), 1.0)), 1e-6)
    # Where hardly anybody has left, it is likeliest that nobody ever does: a, of those who leave, is next to nothing.
    r, alpha, a, b = _search(name, unlikely, [1.0, 1.0 / rate, 1.0, 2.0], vanishing=(2,))
    return BuyingModel(r=r, alpha=alpha, a=a, b=b, modified=modified)


def fit_spending(
    payments: Sequence[Payments], *, name: str = "Gamma-Gamma", least: int = LEARNT_FROM_MIN
) -> SpendingModel:
    """The most likely model of what members pay each time; of those who have paid. Raises CannotFit."""
    paid = [one for one in payments if one.times > 0 and one.average > 0]
    _check_enough(name, len(paid), least)
    count = np.array([one.times for one in paid], dtype=np.float64)
    average = np.array([one.average for one in paid], dtype=np.float64)
    # In units of what is usual, so that the search is the same in yen and in dinars.
    usual = float(np.median(average))
    average = average / usual

    def unlikely(logs: Floats) -> float:
        p, above_one, gamma = np.exp(logs)
        q = above_one + 1.0  # the mean of means is finite
        px = p * count
        each = (
            gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma)
            + (px - 1.0) * np.log(average) + px * np.log(count) - (px + q) * np.log(gamma + count * average)
        )  # fmt: skip
        return float(-each.mean())

    p, above_one, gamma = _search(name, unlikely, [2.0, 2.0, 2.0])
    return SpendingModel(p=p, q=above_one + 1.0, gamma=gamma * usual)


def alike(payments: Sequence[Payments]) -> SpendingModel:
    """Everybody pays what all pay on average: where payments are too much the same for a model of how they differ."""
    mean = sum(one.times * one.average for one in payments) / sum(one.times for one in payments)
    return SpendingModel(p=1.0, q=_ALIKE + 1.0, gamma=mean * _ALIKE)


def fit_redeeming(members: Iterable[Redeeming], *, least: int = LEARNT_FROM_MIN) -> RedeemingModel:
    """The most likely model of how often members redeem. Raises CannotFit."""
    name = "NBD of redemptions"
    times, age, _, weight = _weighted((one.times, one.age_days, 0) for one in members)
    _check_enough(name, weight[times > 0].sum(), least)
    total = weight.sum()

    def unlikely(logs: Floats) -> float:
        r, alpha = np.exp(logs)
        each = gammaln(r + times) - gammaln(r) + r * np.log(alpha) - (r + times) * np.log(alpha + age)
        return float(-(weight * each).sum() / total)

    rate = max(float((weight * times).sum() / max((weight * age).sum(), 1.0)), 1e-9)
    # The slope of the likelihood where all share the one rate, in 1/r: if it falls from there, nothing is likelier.
    if float((weight * ((times - rate * age) ** 2 - times)).sum()) <= 0:
        return RedeemingModel(r=_ALIKE, alpha=_ALIKE / rate)
    r, alpha = _search(name, unlikely, [1.0, 1.0 / rate])
    return RedeemingModel(r=r, alpha=alpha)


def score_buying(model: BuyingModel, members: Sequence[Buying], days: int) -> tuple[Floats, Floats, Floats]:
    """What the model says of each: gone, orders within the days, silent for them. As its own methods say it."""
    table = np.array(members, dtype=np.float64).reshape(-1, 3)
    x, recency, age = table[:, 0], table[:, 1] / WEEK_DAYS, table[:, 2] / WEEK_DAYS
    ahead, shift = days / WEEK_DAYS, 1.0 if model.modified else 0.0
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        odds = np.log(model.a) - np.log(model.b + x - 1.0 + shift)
        odds += (model.r + x) * np.log1p((age - recency) / (model.alpha + recency))
        gone = 1.0 / (1.0 + np.exp(-odds))
    if not model.modified:
        gone = np.where(x > 0, gone, 0.0)
    z = ahead / (model.alpha + age + ahead)
    a = model.a if abs(model.a - 1.0) > 1e-6 else 1.0 + 1e-6
    b = model.b + shift
    whole = a + b + x - 1.0
    rest = np.exp((a - 1.0) * np.log1p(-z)) * hyp2f1(a + b - 1.0 - model.r, a - 1.0, whole, z)
    orders = np.maximum((1.0 - gone) * whole / (a - 1.0) * (1.0 - rest), 0.0)
    silent = gone + (1.0 - gone) * np.exp(-(model.r + x) * np.log1p(ahead / (model.alpha + age)))
    return gone, orders, silent


def score_losing(
    model: RedeemingModel,
    members: Sequence[Redeeming],
    each: Sequence[float],
    points: Sequence[int],
    days: Sequence[int],
) -> Floats:
    """What is expected to be lost of so many points if all of them are lost after so many days, member by member.

    ``each`` is what a redemption of the member takes: (points - each * N) over all N that fit, by how likely they are.
    """
    table = np.array(members, dtype=np.float64).reshape(-1, 2)
    due, takes = np.array(points, dtype=np.float64), np.array(each, dtype=np.float64)
    shape, scale = model.r + table[:, 0], model.alpha + table[:, 1]
    stays = scale / (scale + np.maximum(np.array(days, dtype=np.float64), 0.0))
    fits = np.floor(due / takes)
    within = betainc(shape, fits + 1.0, stays)
    less = np.where(fits >= 1.0, betainc(shape + 1.0, np.maximum(fits, 1.0), stays), 0.0)
    lost: Floats = np.clip(due * within - takes * shape * (1.0 - stays) / stays * less, 0.0, due)
    return lost


def _weighted(members: Iterable[tuple[int, int, int]]) -> tuple[Floats, Floats, Floats, Floats]:
    """The columns of the rows that differ, and how many there are of each."""
    table = np.array([tuple(member) for member in members], dtype=np.int64).reshape(-1, 3)
    rows, weight = np.unique(table, axis=0, return_counts=True)
    columns = rows.astype(np.float64)
    return columns[:, 0], columns[:, 1], columns[:, 2], weight.astype(np.float64)


def _check_enough(model: str, members: float, least: int) -> None:
    if members < least:
        raise CannotFit(model, f"{int(members)} members to learn from, {least} are needed")


def _search(
    model: str, unlikely: Callable[[Floats], float], start: Sequence[float], *, vanishing: Collection[int] = ()
) -> list[float]:
    """The parameters, all positive, for which the sum is least; those of these places may be next to nothing.

    Raises CannotFit.
    """
    first = np.clip(np.log(np.array(start, dtype=np.float64)), 1.0 - _BOUND, _BOUND - 1.0)
    with np.errstate(all="ignore"):
        found: Any = minimize(
            unlikely,
            first,
            method="L-BFGS-B",
            bounds=[(-_BOUND, _BOUND)] * len(first),
            options={"maxiter": _ITERATIONS_MAX, "maxfun": _ITERATIONS_MAX * 10, "ftol": 1e-13, "gtol": 1e-8},
        )
    if not np.isfinite(found.fun) or not np.isfinite(found.x).all():
        raise CannotFit(model, "no parameters make the orders likely")
    at_edge = np.abs(found.x) > _BOUND - _EDGE
    gone = np.array([place in vanishing and found.x[place] < 0 for place in range(len(first))])
    if (at_edge & ~gone).any() or (at_edge.any() and (np.abs(found.x[~gone]) > _INNER).any()):
        raise CannotFit(model, "the parameters run away: the members are not as the model supposes")
    # A search that can go no further in the last digits has arrived; one that was cut off has not.
    if found.status == 1:
        raise CannotFit(model, f"no end of the search within {_ITERATIONS_MAX} steps")
    return [float(value) for value in np.exp(found.x)]
