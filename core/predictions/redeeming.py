"""How often members redeem points: the negative binomial model, whose fit is two numbers.

Ehrenberg (1959), The pattern of consumer purchases, Applied Statistics 8(1), 26-41; what to expect of somebody whose
past is known: Morrison and Schmittlein (1988), Generalizing the NBD model for customer purchases, Journal of Business
& Economic Statistics 6(2), 145-159. Each member redeems at random at a rate of their own; rates are spread as a gamma.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RedeemingModel:
    """A fit; ``alpha`` is in days."""

    r: float
    alpha: float

    def times(self, times: int, age_days: int, days: int) -> float:
        """How often a member is expected to redeem within the next days who has so often since joining."""
        return (self.r + times) / (self.alpha + age_days) * days
