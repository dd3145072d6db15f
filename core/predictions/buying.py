"""How often members buy, and until when: BG/NBD and its modified form, for one member and a fit that is there.

BG/NBD: Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model,
Marketing Science 24(2), 275-284. A member who is there buys at random at a rate of their own, and after each repeat
purchase leaves with a probability of their own; rates are spread over members as a gamma, probabilities as a beta
distribution. In the modified form (Batislam, Denizel and Filiztekin 2007, International Journal of Research in
Marketing 24(3), 201-209) members may leave after their first purchase as well: in the original form, whoever has bought
once is there for ever.

Nothing here needs more than Python: a server without NumPy answers from a fit that another process has made.
"""

from dataclasses import dataclass
from math import exp, log, log1p
from typing import Final, NamedTuple

WEEK_DAYS: Final = 7

_TERMS_MAX: Final = 100_000
_PRECISE: Final = 1e-13
_LOG_MAX: Final = 700.0
_NEAR: Final = 1e-6


class Buying(NamedTuple):
    """When a member has bought: on how many days after the first, the last of them and the present counted from it."""

    repeats: int
    recency_days: int
    age_days: int


@dataclass(frozen=True, kw_only=True)
class BuyingModel:
    """A fit. ``r`` and ``alpha`` (in weeks) are of the rates, ``a`` and ``b`` of leaving; ``modified`` is the form."""

    r: float
    alpha: float
    a: float
    b: float
    modified: bool = True

    def gone(self, member: Buying) -> float:
        """How likely it is that the member has left."""
        if not member.repeats and not self.modified:
            return 0.0
        odds = log(self.a / self._stays(member)) + (self.r + member.repeats) * log1p(
            self._weeks(member.age_days - member.recency_days) / (self.alpha + self._weeks(member.recency_days))
        )
        return 1.0 / (1.0 + exp(-odds)) if odds < _LOG_MAX else 1.0

    def orders(self, member: Buying, days: int) -> float:
        """On how many of the next days the member is expected to buy."""
        z = self._weeks(days) / (self.alpha + self._weeks(member.age_days) + self._weeks(days))
        # At one the formula has a gap that it can be continued over: beside it the value is the same.
        a = self.a if abs(self.a - 1.0) > _NEAR else 1.0 + _NEAR
        b = self.b + self.modified
        whole = a + b + member.repeats - 1.0
        # Euler's transformation of the published series: the same value, and no term of it overflows.
        rest = exp((a - 1.0) * log1p(-z)) * _hypergeometric(a + b - 1.0 - self.r, a - 1.0, whole, z)
        return max((1.0 - self.gone(member)) * whole / (a - 1.0) * (1.0 - rest), 0.0)

    def silent(self, member: Buying, days: int) -> float:
        """How likely it is that the member buys on none of the next days, having left or not."""
        age = self.alpha + self._weeks(member.age_days)
        none = exp(-(self.r + member.repeats) * log1p(self._weeks(days) / age))
        gone = self.gone(member)
        return gone + (1.0 - gone) * none

    def _stays(self, member: Buying) -> float:
        return self.b + member.repeats - (0 if self.modified else 1)

    @staticmethod
    def _weeks(days: int) -> float:
        return days / WEEK_DAYS


@dataclass(frozen=True, kw_only=True)
class SpendingModel:
    """Gamma-Gamma: what members pay on a day on which they buy, by a fit.

    Fader and Hardie (2013), The Gamma-Gamma model of monetary value, http://brucehardie.com/notes/025/. Each payment of
    a member varies about a mean of their own, and the means are spread over members; how often somebody buys says
    nothing of how much.
    """

    p: float
    q: float
    gamma: float

    def mean(self, payments: int, average: float) -> float:
        """What a payment of a member is expected to be who has made so many, of that average."""
        return self.p * (self.gamma + average * payments) / (self.p * payments + self.q - 1.0)


def _hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss' 2F1 for c > 0 and 0 <= z < 1, as a sum."""
    total = term = 1.0
    for n in range(_TERMS_MAX):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        # What is left is less than a geometric series of this term.
        if abs(term) <= _PRECISE * abs(total) * (1.0 - z):
            break
    return total
