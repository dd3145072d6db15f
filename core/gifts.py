"""What a member is given for an occasion: so much of each unit, and coupons."""

from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.coupons import Coupons, grant
from core.document import Section
from core.rules import UnitName
from core.units import AMOUNT_MAX
from core.work import Work

Amount = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class Given(NamedTuple):
    """What was given, by unit, and the lots it is in."""

    pack: dict[str, int]
    lots: dict[str, int]


class Gift(Section):
    """So much of each unit, and coupons.

    What can be spent of the pack can be spent after ``pending_days``, and lives for ``expires_days`` at most.
    """

    pack: Annotated[dict[UnitName, Amount], Field(max_length=20)] = Field(default_factory=dict)
    coupons: Coupons = ()
    expires_days: Days | None = None
    pending_days: Days | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.pack and not self.coupons:
            raise PydanticCustomError("gift", "a gift has a pack, or coupons, or both")
        return self

    async def give(self, work: Work, occasion: str) -> Given:
        """Give it to the member; ``occasion`` is what coupons are granted for. Raises what ``Work.earn`` does."""
        lots: dict[str, int] = {}
        for unit, amount in self.pack.items():
            days = self.expires_days if work.programme.unit(unit).spendable else None
            lot = await work.earn(amount, unit=unit, days=days, pending_days=self.pending_days or 0)
            lots[unit] = lot.seq
        grant(work, self.coupons, occasion)
        return Given(dict(self.pack), lots)
