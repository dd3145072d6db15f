"""How good a fit is: what it said of days that it had not seen, beside what anybody would guess. Needs NumPy."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from core.predictions.buying import Buying, BuyingModel, SpendingModel
from core.predictions.fitting import Floats, Payments, score_buying

QUIET_DAYS: Final = 91
"""The guess: who has not bought for so long will not buy."""


class Seen(NamedTuple):
    """A member as known at the end of the days that a model was fitted to: repeat days, and what was paid on them."""

    buying: Buying
    payments: Payments


class Came(NamedTuple):
    """What a member then did on the days that were held back."""

    days: int
    spend: float


class Error(NamedTuple):
    """How far off a guess is, by member: the mean distance, the root of the mean square; and of the sum, as a share."""

    mean: float
    root: float
    total: float


class Judged(NamedTuple):
    """The errors of a model beside those of a guess: days with orders, what they come to, and who buys at all.

    ``silent`` is the mean square of the likelihood less what came (Brier's score); of the guess, the share of members
    it is wrong about.
    """

    members: int
    days: int
    orders: Error
    orders_guess: Error
    spend: Error
    spend_guess: Error
    silent: float
    silent_guess: float


def judge(seen: Sequence[Seen], came: Sequence[Came], days: int, model: BuyingModel, spending: SpendingModel) -> Judged:
    """Judge by ``days`` held back. The guess: each goes on as before; who was quiet for a quarter stays quiet."""
    members = [one.buying for one in seen]
    _, orders, silent = score_buying(model, members, days)
    values = orders * np.array([spending.mean(*one.payments) for one in seen])
    actual, spend = (np.array(column, dtype=np.float64) for column in zip(*came, strict=True))
    ages = np.array([max(member.age_days, 1) for member in members], dtype=np.float64)
    guess = np.array([member.repeats for member in members], dtype=np.float64) / ages * days
    quiet = np.array([member.age_days - member.recency_days > QUIET_DAYS for member in members])
    return Judged(
        members=len(members),
        days=days,
        orders=_error(orders, actual),
        orders_guess=_error(guess, actual),
        spend=_error(values, spend),
        spend_guess=_error(guess * np.array([one.payments.average for one in seen]), spend),
        silent=float(((silent - (actual == 0)) ** 2).mean()),
        silent_guess=float((quiet != (actual == 0)).mean()),
    )


def _error(said: Floats, actual: Floats) -> Error:
    off = said - actual
    whole = float(actual.sum())
    return Error(
        mean=float(np.abs(off).mean()),
        root=float(np.sqrt((off**2).mean())),
        total=float(off.sum()) / whole if whole else 0.0,
    )
