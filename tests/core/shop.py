"""The facts of a shop, as a purchase channel would declare them, and short ways to make an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import yaml

from core.ladder.tiers import FACTS as FACTS_OF_TIERS
from core.rulebook.programme import ChannelSettings, Programme, countables_of, load_programme
from core.rulebook.rules import Activity, RuleSet, UnitName

PROGRAMMES = Path(__file__).parents[2] / "examples" / "programmes"
JULY = datetime(2026, 7, 2, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    sku: str
    category: str | None
    amount: Decimal
    quantity: Decimal
    tags: list[str]


@dataclass(frozen=True)
class Order:
    amount: Decimal
    total: Decimal
    quantity: Decimal
    category: str | None
    kind: str | None
    first: bool
    promised: int
    lines: list[Line]
    at: datetime


@dataclass(frozen=True)
class Member:
    tier: str
    birthday: date | None
    birth_month_now: bool
    birthday_today: bool
    tags: list[str]
    orders: int
    enrolled_at: datetime


FACTS = {"order": Order, "line": Line, "member": Member}


class PurchaseSettings(ChannelSettings):
    """What the purchase channel's section holds."""

    facts: ClassVar[Mapping[str, Any]] = FACTS
    earn: dict[UnitName, RuleSet]


class SignInSettings(ChannelSettings):
    """A channel without lines, whose rule set stands at the top of its section."""

    facts: ClassVar[Mapping[str, Any]] = {"streak": int}
    earn: RuleSet


CHANNELS: Mapping[str, type[ChannelSettings]] = {"purchase": PurchaseSettings, "sign_in": SignInSettings}


def line(
    amount: str,
    category: str | None = None,
    *,
    quantity: int = 1,
    tags: Sequence[str] = (),
    sku: str = "sku",
) -> Line:
    return Line(sku, category, Decimal(amount), Decimal(quantity), list(tags))


def member(tier: str = "regular", *, birthday: date | None = None, today: bool = False) -> Member:
    return Member(tier, birthday, today, today, [], 0, JULY)


def purchase(
    amount: str | None = None,
    category: str | None = None,
    *,
    kind: str | None = None,
    tier: str = "regular",
    lines: Sequence[Line] = (),
    at: datetime = JULY,
    first: bool = False,
    promised: int = 0,
    today: bool = False,
) -> Activity:
    """An order; without an amount it is worth what its lines are."""
    paid = sum((each.amount for each in lines), Decimal(0)) if amount is None else Decimal(amount)
    order = Order(paid, paid, Decimal(1), category, kind, first, promised, list(lines), at)
    return Activity("purchase", at, {"order": order, "member": member(tier, today=today)}, lines)


def example(name: str) -> Programme:
    """An example, with the section of purchases only: what other channels say is tested with them."""
    document = yaml.safe_load((PROGRAMMES / f"{name}.yaml").read_text())
    sections = document.get("channels", {})
    document["channels"] = {channel: said for channel, said in sections.items() if channel == "purchase"}
    if trust := document.get("trust"):
        trust["velocity"] = [rule for rule in trust.get("velocity", ()) if rule["channel"] == "purchase"]
    # What other channels count may still be named, as by an expiry that moves with it.
    return load_programme(document, CHANNELS, countables={**countables_of(FACTS_OF_TIERS), "sign_ins": "days"})


def earn(programme: Programme, unit: str = "points") -> RuleSet:
    settings = programme.channels["purchase"]
    assert isinstance(settings, PurchaseSettings)
    return settings.earn[unit]


def document(rules: object, unit: str = "points") -> dict[str, object]:
    """The smallest programme whose purchases follow these rules."""
    return {
        "id": "shop",
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "lists": {"core": ["milk_powder", "nappies"]},
        "channels": {"purchase": {"earn": {unit: rules}}},
    }


def rule_set(*groups: object, **settings: object) -> RuleSet:
    """A compiled rule set of these groups."""
    return earn(load_programme(document({"groups": list(groups), **settings}), CHANNELS))
