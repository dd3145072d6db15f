"""A shop filled at random, in which every channel is used, and what is asked of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any, Final, NamedTuple

from graphql import GraphQLNamedType

from graph.testing import open_shop  # noqa: TID251  used by tests only
from graph.tokens import Caller, Role
from tests.graph.plans.documents import Values
from tests.graph.story import CONTENT, Story
from tests.graph.test_access_table import TYPES
from tests.graph.test_schemathesis import BEGINNING, LIFTED, NAMES, NASTY, PLUGINS, Storm, begin

MEMBERS: Final = 12
CURSORS: Final = """{ members(first: 9) { edges { cursor node { transactions(first: 3) { edges { cursor } }
  lots(first: 3) { edges { cursor } } } } } auditLog(first: 3) { edges { cursor } } }"""


class Filled(NamedTuple):
    """A shop as a test finds it: where it is, when it is there, whom it has, and what is called how."""

    url: str
    now: datetime
    anna: str
    names: Mapping[str, Sequence[str]]

    @property
    def callers(self) -> list[Caller | None]:
        """Who asks, those most often who may ask most."""
        own = Caller(Role.MEMBER, "anna", self.anna)
        staff = [Caller(role, f"a {role}") for role in (Role.ADMIN, Role.OPERATOR, Role.ANALYST, Role.SERVICE)]
        partner = Caller(Role.PARTNER, "a partner", channels=frozenset({"purchase"}))
        return [staff[0]] * 18 + [own] * 4 + [*staff, partner, None]

    def copied(self, folder: Path) -> "Filled":
        """The same shop once more, in a folder of its own."""
        shop = Path(self.url.removeprefix("sqlite://"))
        return self._replace(url=f"sqlite://{copy(shop, folder / shop.name)}")

    def open(self, **variables: str) -> Any:
        return open_shop(self.url, None, plugins=PLUGINS, now=self.now, variables={**LIFTED, **variables})

    def values(self) -> Values:
        """What scalars are given: mostly what there is in the shop."""
        day = self.now.date()

        def value(random: Random, kind: GraphQLNamedType, name: str, about: str) -> Any:
            match kind.name:
                case "Boolean":
                    return random.random() < 0.5
                case "Int":
                    of = (1, 2, 2, 3, 3) if name in {"first", "last"} else (0, 1, 2, 3, 7, 30)
                    return random.choice(of) if random.random() < 0.95 else random.choice((-1, 0, 100, 2**31 - 1))
                case "Float":
                    return random.choice((0, 0.5, 2, -1.25))
                case "Points":
                    return random.choice((0, 1, 10, 100, 1_000, -5, 2**53 - 1))
                case "Decimal":
                    return random.choice(("0", "1.00", "100.00", "12.5", "-3", "99999999.99"))
                case "Instant":
                    return (self.now + timedelta(days=random.randrange(-400, 400))).isoformat()
                case "Day":
                    return (day + timedelta(days=random.randrange(-400, 400))).isoformat()
                case "Duration":
                    return random.choice(("P1D", "PT1H", "P12M", "PT0S"))
                case "CurrencyCode":
                    return random.choice(("CNY", "CNY", "EUR", "XXX"))
            if random.random() < 0.06:
                return random.choice(NASTY)
            return random.choice(self._called(kind.name, name, about))

        return value

    def _called(self, kind: str, name: str, about: str) -> Sequence[str]:
        if kind == "ID":
            keys = [about if name == "id" else TYPES.get(name, name[:1].upper() + name[1:]), "Member"]
            return next((self.names[key] for key in keys if self.names.get(key)), ["none"])
        if name in {"after", "before"}:
            return self.names["cursor"]
        return next((self.names[key] for key in (f"asked {name}", name) if self.names.get(key)), NAMES)


async def fill(folder: Path, seed: int) -> Filled:
    """A shop with all that the story tells, and with members who did this and that."""
    url = f"sqlite://{folder / 'shop.sqlite3'}"
    async with open_shop(folder, BEGINNING, plugins=PLUGINS, variables=LIFTED) as shop:
        begun = await begin(shop)
        await _busy(begun, Random(seed))
        known = Storm(shop, {})
        await known.look_around(begun)
        names = {key: sorted(set(of)) for key, of in known.ids.items()}
        names["cursor"] = sorted(_cursors(await shop.ask(CURSORS, role=Role.ADMIN)))
        return Filled(url, shop.clock.now(), begun.raw(), names)


async def _busy(told: Story, random: Random) -> None:
    """Members with much, with little and with nothing at all."""
    for number in range(MEMBERS):
        name = f"somebody {number}"
        await told.do("enrolMember", externalId=name)
        member = {"externalId": name}
        for at in range(random.choice((0, 1, 2, 5))):
            reference = f"{name} {at}"
            await told.do("adjustPoints", member=member, points=random.randrange(1, 9_000))
            yuan = {"amount": f"{random.randrange(1, 900)}.{random.randrange(100):02}", "currency": "CNY"}
            match random.randrange(8):
                case 0:
                    await told.do("adjustPoints", member=member, points=random.randrange(1, 9_000), unit="growth")
                case 1:
                    await told.do("holdPoints", member=member, points=1)
                case 2 | 3:
                    await told.do("recordPurchase", member=member, reference=reference, amount=yuan)
                case 4:
                    await told.do("submitReview", member=member, reference=reference, order="O", content=CONTENT)
                case 5:
                    await told.do("issueCoupon", member=member, coupon="tenner")
                case 6:
                    await told.do("openTicket", member=member, subject=reference, text="Where are they?")
                case _:
                    await told.do("recordSignIn", member=member)


def _cursors(answer: Any) -> set[str]:
    match answer:
        case dict():
            here = {answer["cursor"]} if "cursor" in answer else set()
            return here.union(*map(_cursors, answer.values()))
        case list():
            return set().union(*map(_cursors, answer))
    return set()
