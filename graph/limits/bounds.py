"""How much may be asked for: the bounds of an installation, on unless it says otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from graph.tokens import Caller, Role

ALL: Final = "all"
STAFF_ONLY: Final = "staff"
NONE: Final = "none"
"""Who may ask for the schema itself."""

NOBODY: Final = "nobody"
"""Who sends no token, in the settings."""

_RATE: Final = re.compile(r"([1-9][0-9]{0,14}) ?(cost|requests)? ?(?:/|per) ?(second|minute|hour|day)")
_COST: Final = re.compile(r"[1-9][0-9]{0,14}")


class Rate(NamedTuple):
    """How much a caller may ask for in a while, counted in requests or in their cost."""

    amount: int
    of_cost: bool
    period: str

    @classmethod
    def read(cls, text: str) -> "Rate | None":
        """``600 requests/minute``, ``20000 cost/minute``, or ``none``. Raises ValueError."""
        if text == "none":
            return None
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a rate such as 20000 cost/minute")
        return cls(int(found[1]), found[2] == "cost", found[3])


COSTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        NOBODY: 100,
        Role.MEMBER: 1_000,
        Role.PARTNER: 2_000,
        Role.ANALYST: 5_000,
        Role.OPERATOR: 5_000,
        Role.ADMIN: 5_000,
        Role.SERVICE: 5_000,
    }
)

RATES: Final[Mapping[str, Rate | None]] = MappingProxyType(
    {
        NOBODY: Rate(120, False, "minute"),
        Role.MEMBER: Rate(30_000, True, "minute"),
        Role.PARTNER: Rate(300_000, True, "minute"),
        Role.ANALYST: Rate(300_000, True, "minute"),
        Role.OPERATOR: Rate(300_000, True, "minute"),
        Role.ADMIN: Rate(300_000, True, "minute"),
        # The brand's own backend speaks for all members, and a till must not be told to wait.
        Role.SERVICE: None,
    }
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The bounds of one installation. A whole number is the variable ``LAUREL_`` and its name: ``LAUREL_DEPTH_MAX``."""

    source_max: int = 100_000
    tokens_max: int = 5_000
    depth_max: int = 12
    introspection_depth_max: int = 20
    aliases_max: int = 30
    root_fields_max: int = 15
    mutations_max: int = 5
    directives_max: int = 50
    operations_max: int = 20
    comparisons_max: int = 10_000
    values_max: int = 50_000
    seconds_max: int = 10
    costs: Mapping[str, int] = field(default_factory=lambda: COSTS)
    rates: Mapping[str, Rate | None] = field(default_factory=lambda: RATES)

    def cost_max(self, caller: Caller | None) -> int:
        """What one request of this caller may cost: as said for their name, otherwise for their role."""
        if caller is None:
            return self.costs[NOBODY]
        found = self.costs.get(caller.actor)
        return self.costs[caller.role] if found is None else found

    def rate(self, caller: Caller | None) -> Rate | None:
        """How much this caller may ask for in a while; None is without a bound."""
        if caller is None:
            return self.rates[NOBODY]
        return self.rates[caller.actor] if caller.actor in self.rates else self.rates[caller.role]

    @classmethod
    def numbers(cls) -> Mapping[str, int]:
        """The bounds that are whole numbers, as they usually are."""
        return {name: value for name, value in vars(cls).items() if isinstance(value, int)}


def read_costs(text: str) -> Mapping[str, int]:
    """``member=500, partner:till=8000``, beside what is usual. Raises ValueError."""
    found = dict(COSTS)
    for who, what in _pairs(text):
        if not _COST.fullmatch(what):
            raise ValueError(f"{what!r} is not a cost such as 1000")
        found[who] = int(what)
    return found


def read_rates(text: str) -> Mapping[str, Rate | None]:
    """``member=600 requests/minute, partner:till=none``, beside what is usual. Raises ValueError."""
    return {**RATES, **{who: Rate.read(what) for who, what in _pairs(text)}}


def _pairs(text: str) -> list[tuple[str, str]]:
    """What is said, and of whom: a role, a role and a name, or nobody. Raises ValueError."""
    found = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        who, equals, what = pair.rpartition("=")
        role = who.partition(":")[0].strip()
        if not equals or (role not in set(Role) and who.strip() != NOBODY):
            raise ValueError(f"{pair!r} does not begin with a role, as member=… or partner:name=…")
        found.append((who.strip(), what.strip()))
    return found
