"""What a member is given for an occasion: so much of each unit, and coupons."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.caps import draw
from core.channels.coupons import Coupons, grant
from core.engine.work import Work
from core.rulebook.budgets import NamedBudget
from core.rulebook.document import Section
from core.rulebook.rules import Budget, UnitName
from core.units import AMOUNT_MAX

Amount = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class Given(NamedTuple):
    """What was given of each unit, as much as the budget had, and the lot that it is in."""

    pack: dict[str, int]
    lots: dict[str, int]


class Gift(Section):
    """So much of each unit, and coupons.

    What can be spent of the pack can be spent after ``pending_days``, and lives for ``expires_days`` at most. All
    members together are given so much of each unit as ``budget`` says at most; then gifts are smaller, or nothing.
    """

    pack: Annotated[dict[UnitName, Amount], Field(max_length=20)] = Field(default_factory=dict)
    coupons: Coupons = ()
    expires_days: Days | None = None
    pending_days: Days | None = None
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.pack and not self.coupons:
            raise PydanticCustomError("gift", "a gift has a pack, or coupons, or both")
        return self

    def budgets_of(self, name: str) -> Iterator[NamedBudget]:
        """Its budget of each unit, where the gift's is called ``name``."""
        return (NamedBudget(f"{name}:{unit}", unit, self.budget) for unit in self.pack)

    async def give(self, work: Work, name: str, occasion: str) -> Given:
        """Give it to the member. Its budget is called ``name``; coupons are granted for ``occasion``.

        Raises what ``Work.earn`` does.
        """
        given = Given({}, {})
        for unit, amount in self.pack.items():
            granted = await draw(work, f"{name}:{unit}", self.budget, amount, unit=unit)
            if granted:
                days = self.expires_days if work.programme.unit(unit).spendable else None
                lot = await work.earn(granted, unit=unit, days=days, pending_days=self.pending_days or 0)
                given.pack[unit], given.lots[unit] = granted, lot.seq
        grant(work, self.coupons, occasion)
        return given
