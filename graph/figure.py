"""A figure in the schema: a number or a share, beside that of the period before."""

from decimal import Decimal

import strawberry

from core.key_figures import figures


@strawberry.type
class FigureValue:
    """A number, or a share as an exact numerator and denominator."""

    value: Decimal | None = strawberry.field(
        description="The number; of a share the quotient, to a millionth, a half away from zero; null by nothing."
    )
    numerator: Decimal = strawberry.field(description="The number, or what is divided, exact.")
    denominator: Decimal | None = strawberry.field(description="By what it is divided, exact; null for a number.")

    @classmethod
    def of(cls, figure: figures.Figure) -> "FigureValue":
        return cls(value=figure.value, numerator=figure.numerator, denominator=figure.denominator)


@strawberry.type
class Figure:
    """A figure of a period, and the same of the period before."""

    now: FigureValue = strawberry.field(description="Of the period.")
    previous: FigureValue | None = strawberry.field(
        description="Of the period before; null where it was not asked for."
    )

    @classmethod
    def of(cls, now: figures.Figure, before: figures.Figure | None) -> "Figure":
        return cls(now=FigureValue.of(now), previous=None if before is None else FigureValue.of(before))
