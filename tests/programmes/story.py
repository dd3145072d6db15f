"""Stories: a few members' lives under an example programme, told through the API on a clock that is moved.

::

    async def test_the_small_business(tell: Tell) -> None:
        async with tell("sme", "2026-01-05") as story:
            ann = await story.joins("Ann")
            assert (await ann.buys("88.80")).points == 177
            await story.until("2026-02-01")

What happens is written down as it happens, as rows: what members do, and what time does to them. Of the rows the page
of the programme is made (``tests/programmes/pages``).
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import yaml

from core.oversight.verify import verify
from core.time.calendar import local_day
from core.time.clock import instant
from graph.ids import read_id
from graph.testing import Shop
from graph.tokens import Role

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"
MORNING: Final = time(10)
DAILY: Final = timedelta(days=1)

_STATE: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  points { balance } growth { balance } tier { code } } } }"""


@dataclass(frozen=True)
class Row:
    """Something that happened to somebody, and where they stood then. ``tier`` is empty where there are no tiers."""

    at: datetime
    who: str
    what: str
    points: int
    growth: int
    balance: int
    grown: int
    tier: str
    mark: bool = False
    was: str = ""

    @property
    def moved(self) -> bool:
        """Whether the tier is another than before."""
        return self.tier != self.was


@dataclass
class Life:
    """A member of whom a story tells."""

    story: "Story"
    name: str
    id: str
    balance: int = 0
    grown: int = 0
    tier: str = ""

    async def does(
        self,
        what: str,
        mutation: str,
        selected: str = "",
        *,
        role: Role = Role.SERVICE,
        refused: str | None = None,
        named: bool = True,
        mark: bool = False,
        **said: Any,
    ) -> dict[str, Any]:
        """Ask for a mutation, and write down what it did; its payload. ``refused`` is the code of the refusal."""
        if named:
            said = {"member": {"id": self.id}, **said}
        payload = await self.story.asks(mutation, selected, role=role, refused=refused, **said)
        if refused:
            what = f"{what}: refused, `{refused}`"
        await self.story.note(self, what, mark=mark)
        return payload

    @property
    def last(self) -> Row:
        """What was written down of them last."""
        return next(row for row in reversed(self.story.rows) if row.who == self.name)

    async def is_asked(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the member's own token reads; ``$id`` is theirs."""
        return await self.story.shop.ask(query, {"id": self.id, **variables}, member=self.id)

    async def has(self, fields: str) -> dict[str, Any]:
        """Fields of the member, as the member's own token reads them."""
        data = await self.is_asked(f"query ($id: ID!) {{ node(id: $id) {{ ... on Member {{ {fields} }} }} }}")
        found: dict[str, Any] = data["node"]
        return found

    async def is_to_reach(self) -> tuple[str, list[tuple[str, str]]]:
        """The next tier, and what it asks for: each fact with how much of it."""
        fields = "progress { nextTier { code } criteria { fact required } }"
        progress: dict[str, Any] = (await self.has(fields))["progress"]
        return progress["nextTier"]["code"], [(one["fact"], one["required"]) for one in progress["criteria"]]

    # -- what members do ----------------------------------------------------------------------------

    async def buys(self, amount: str, what: str = "", *, mark: bool = False, reference: str = "", **more: Any) -> Row:
        """An order of so much money."""
        said = {"reference": reference or self.story.reference(), "amount": self.story.money(amount), **more}
        await self.does(what or f"buys for {written(amount)}", "recordPurchase", mark=mark, **said)
        return self.last

    async def sends_back(self, order: str, what: str, *, mark: bool = False, **more: Any) -> Row:
        """A refund of an order, whole unless ``amount`` or ``lines`` says otherwise."""
        await self.does(what, "refundPurchase", mark=mark, order=order, reference=self.story.reference(), **more)
        return self.last

    async def signs_in(self, days: int = 1, what: str = "", *, mark: bool = False) -> list[int]:
        """Sign in on so many days in a row from today on; what each day brought. The clock ends on the last of them."""
        brought = []
        async with self.story.together(self, what or f"signs in on {days} days in a row", mark=mark):
            for day in range(days):
                if day:
                    await self.story.days(1)
                await self.does("signs in", "recordSignIn")
                brought.append(self.last.points)
        return brought

    async def completes(self, section: str, what: str = "", *, mark: bool = False) -> Row:
        await self.does(
            what or f"completes the profile: {section}", "completeProfileSection", section=section, mark=mark
        )
        return self.last

    async def shares(self, item: str, what: str = "", *, refused: str | None = None, mark: bool = False) -> Row:
        await self.does(what or f"shares {item}", "recordShare", item=item, refused=refused, mark=mark)
        return self.last

    async def reviews(self, order: str, what: str = "", *, pictures: int = 0, mark: bool = False) -> Row:
        """A review of an order, which a moderator approves at once."""
        async with self.story.together(self, what or "writes a review, which is approved", mark=mark):
            content = {"rating": 5, "length": 30, "pictures": pictures}
            answer = await self.does(
                "writes a review",
                "submitReview",
                "review { id }",
                reference=self.story.reference(),
                order=order,
                content=content,
            )
            review = answer["review"]["id"]
            await self.does("it is approved", "approveReview", role=Role.OPERATOR, named=False, review=review)
        return self.last

    async def redeems(
        self, reward: str, what: str, *, refused: str | None = None, mark: bool = False, **more: Any
    ) -> Row:
        await self.does(what, "redeemReward", reward=reward, refused=refused, mark=mark, **more)
        return self.last

    async def pays_with_points(
        self, amount: str, what: str, *, mark: bool = False, **more: Any
    ) -> tuple[Row, str, int]:
        """A basket of which as much as may be is paid with points; the money and the points that this was."""
        async with self.story.together(self, what, mark=mark):
            held = await self.does(
                "the points are set aside",
                "holdCheckout",
                "hold { id amount } amount { amount }",
                basket=self.story.money(amount),
                reference=self.story.reference(),
            )
            points, paid = int(held["hold"]["amount"]), str(held["amount"]["amount"])
            await self.buys(
                amount,
                "the order is paid",
                paidWithPoints={"hold": held["hold"]["id"], "points": points, "amount": paid},
                **more,
            )
        return self.last, paid, points


@dataclass
class Story:
    """What happens under a programme, from a day on."""

    shop: Shop
    programme: str
    zone: ZoneInfo
    lives: dict[str, Life] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the page's words quote of what happened."""
    plain: set[str] = field(default_factory=set)
    """What happens to members without their doing, and needs no row: the growth of a year ago that ends."""
    pictured: str = ""
    _seen: set[str] = field(default_factory=set)
    _references: Iterable[int] = field(default_factory=lambda: count(1))

    @property
    def hero(self) -> Life:
        """Whose life is drawn: the first who joined, unless ``pictured`` names another."""
        return self.lives[self.pictured] if self.pictured else next(iter(self.lives.values()))

    @cached_property
    def document(self) -> Mapping[str, Any]:
        return yaml.safe_load((PROGRAMMES / f"{self.programme}.yaml").read_text())  # type: ignore[no-any-return]

    def money(self, amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": str(self.document["currency"])}

    def reference(self) -> str:
        return f"S{next(iter(self._references))}"

    def at(self, day: str, clock: str | time = MORNING) -> datetime:
        """An instant of the programme's zone."""
        clock = time.fromisoformat(clock) if isinstance(clock, str) else clock
        return datetime.combine(date.fromisoformat(day), clock, self.zone).astimezone(UTC)

    @property
    def today(self) -> date:
        return local_day(self.shop.clock.now(), self.zone)

    # -- time -----------------------------------------------------------------------------------------

    async def until(self, day: str, clock: str = "10:00", *, stride: timedelta | None = None) -> None:
        """Let the time pass, with the jobs of an installation, and write down what it does to the members.

        The jobs look on the first of each month, on the days on which something is lost or told to be about to, at each
        ``stride`` and at the end. What else happens at an instant is written down as of that instant, however late
        a job is.
        """
        end = self.at(day, clock)
        assert end >= self.shop.clock.now(), "a story goes forward"
        while (now := self.shop.clock.now()) < end:
            self.shop.clock.set(await self._next_stop(now, end, stride))
            await self.pass_by()

    async def days(self, days: int) -> None:
        """So many days later, at the same time of the day."""
        now = self.shop.clock.now().astimezone(self.zone)
        await self.until(str(now.date() + timedelta(days=days)), f"{now:%H:%M}", stride=DAILY)

    async def _next_stop(self, now: datetime, end: datetime, stride: timedelta | None) -> datetime:
        today = local_day(now, self.zone)
        days = {(today.replace(day=1) + timedelta(days=32)).replace(day=1)}
        rows = await self.shop.laurel.store.reader().query(
            "SELECT DISTINCT expires_at FROM lot WHERE remaining > 0 AND expires_at IS NOT NULL"
        )
        for lost in (local_day(instant(at), self.zone) for (at,) in rows):
            days |= {lost, lost - timedelta(days=self.warned)}
        stops = {self._morning(day) for day in days} | {end} | ({now + stride} if stride else set())
        return min(stop for stop in stops if now < stop <= end)

    def _morning(self, day: date) -> datetime:
        return datetime.combine(day, MORNING, self.zone).astimezone(UTC)

    @property
    def warned(self) -> int:
        """So many days before something is lost the members are told first; 0 where they are not."""
        return max(self.document.get("expiry", {}).get("remind_days", ()), default=0)

    async def pass_by(self) -> None:
        """Whatever is due now is done, told and written down."""
        await self.shop.laurel.jobs.work()
        await self.shop.laurel.jobs.run("expire")  # which comes by each quarter of an hour, and may have been early
        await self.settle()

    # -- what happens ---------------------------------------------------------------------------------

    async def joins(self, name: str, what: str = "joins", *, mark: bool = True, **said: Any) -> Life:
        payload = await self.asks("enrolMember", "member { id }", externalId=name.lower(), **said)
        life = self.lives[name.lower()] = Life(self, name, payload["member"]["id"])
        await self.note(life, what, mark=mark)
        return life

    async def asks(
        self, mutation: str, selected: str = "", *, role: Role = Role.SERVICE, refused: str | None = None, **said: Any
    ) -> dict[str, Any]:
        """A mutation that is nobody's act in the story; its payload, which has no errors but the one expected."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code message }} {selected} }} }}"
        said = {"idempotencyKey": f"story {self.reference()}", **said}
        payload: dict[str, Any] = (await self.shop.ask(query, {"input": said}, role=role))[mutation]
        assert [error["code"] for error in payload["errors"]] == ([refused] if refused else []), payload["errors"]
        return payload

    async def note(self, life: Life, what: str, *, mark: bool = False) -> Row:
        """Write down what somebody has just done, after whatever else it has brought about."""
        points, growth, was = 0, 0, life.tier
        for done in await self._done():
            if done.who == life.name and done.at == self.shop.clock.now():
                points, growth = points + done.points, growth + done.growth
                life.tier = done.tier or life.tier
                life.balance, life.grown = life.balance + done.points, life.grown + done.growth
            else:
                self._write(done)
        row = Row(
            self.shop.clock.now(), life.name, what, points, growth, life.balance, life.grown, life.tier, mark, was
        )
        self.rows.append(row)
        await self.settle()
        return row

    async def operates(self, mutation: str, selected: str = "", **said: Any) -> dict[str, Any]:
        """What an operator does for the shop."""
        return await self.asks(mutation, selected, role=Role.OPERATOR, **said)

    async def settle(self) -> None:
        """Tell whom it concerns, write down what that has brought about, and compare with what the API says."""
        for _ in range(20):
            if not await self.shop.laurel.deliverer.drain():
                break
        for done in await self._done():
            self._write(done)
        for life in self.lives.values():
            found = (await self.shop.ask(_STATE, {"id": life.id}))["node"]
            said = (life.balance, life.grown, life.tier)
            read = (
                found["points"]["balance"], found["growth"]["balance"], found["tier"]["code"] if found["tier"] else ""
            )  # fmt: skip
            assert said == read, f"{life.name} on {self.today}: the story has {said}, the API says {read}"

    @asynccontextmanager
    async def together(self, life: Life, what: str, *, mark: bool = False) -> AsyncIterator[None]:
        """All that somebody does meanwhile is one row of the story."""
        begin, was = len(self.rows), life.tier
        yield
        mine = [row for row in self.rows[begin:] if row.who == life.name and not row.what.startswith("·")]
        others = [row for row in self.rows[begin:] if row not in mine]
        row = replace(
            mine[-1],
            what=what,
            points=sum(row.points for row in mine),
            growth=sum(row.growth for row in mine),
            mark=mark,
            was=was,
        )
        self.rows[begin:] = [*others, row]

    # -- what was written in the books ------------------------------------------------------------------

    async def _done(self) -> "list[Done]":
        """What the books have that was not seen before, in their order."""
        reader = self.shop.laurel.store.reader()
        operations = await reader.query(
            "SELECT o.id, m.external_id, o.channel, o.kind, o.effective_at, o.result FROM operation o"
            " JOIN member m ON m.id = o.member_id WHERE o.accepted"
        )
        new = [row for row in operations if row[0] not in self._seen]
        if not new:
            return []
        self._seen.update(row[0] for row in new)
        entries: dict[str, list[tuple[str, int, int]]] = {}
        for id, unit, seq, amount in await reader.query("SELECT operation_id, unit, seq, amount FROM entry"):
            entries.setdefault(id, []).append((unit, int(seq), int(amount)))
        found = []
        for id, who, channel, kind, at, result in new:
            if who not in self.lives:
                continue
            life = self.lives[who]
            mine = entries.get(id, [])
            events = orjson.loads(result).get("events", ())
            tiers = [str(event["tier"]) for event in events if event["name"] in ("tier.changed", "member.enrolled")]
            found.append(
                Done(
                    at=instant(at),
                    who=life.name,
                    act=(channel, kind),
                    points=sum(amount for unit, _, amount in mine if unit == "points"),
                    growth=sum(amount for unit, _, amount in mine if unit == "growth"),
                    order=min((seq for unit, seq, _ in mine if unit == "points"), default=0),
                    tier=tiers[-1] if tiers else "",
                    events=tuple(events),
                )
            )
        return sorted(found, key=lambda done: (done.at, done.who, done.order, done.act))

    def _write(self, done: "Done") -> None:
        """A row of what happened without anybody's doing, or by somebody else's."""
        life, was = self.lives[done.who.lower()], self.lives[done.who.lower()].tier
        life.balance, life.grown = life.balance + done.points, life.grown + done.growth
        life.tier = done.tier or life.tier
        what = self._words(done)
        if what:
            self.rows.append(
                Row(
                    done.at, done.who, f"· {what}", done.points, done.growth, life.balance, life.grown, life.tier,
                    life.tier != was, was,
                )
            )  # fmt: skip

    def _words(self, done: "Done") -> str:
        said = [words for event in done.events if (words := self._told(event))]
        if not said and not done.points:
            return ""
        if not said:
            assert done.act in _ACTS, f"the story has no words for {done.act}: {done}"
            said = [_ACTS[done.act]]
        return "; ".join(said)

    def _told(self, event: Mapping[str, Any]) -> str:
        match event["name"]:
            case "tier.changed":
                verb = "falls to" if event["cause"] in ("review", "taken_back") else "reaches"
                why = {"review": ", as the review finds too little"}.get(event["cause"], "")
                return f"{verb} {event['tier']}{why}"
            case "tier.at_risk":
                return f"is warned: {event['tier']} is judged on {self._day(event['review_at'])}, {missing(event)}"
            case "tier.grace_started":
                return f"has until {self._day(event['until'])} to keep {event['tier']}, {missing(event)}"
            case "tier.renewed":
                return f"keeps {event['tier']} until {self._day(event['until'])}"
            case "points.expiring" if event["days"] == self.warned:
                return f"is told that {event['points']:,} points end on {written_day(event['expires_on'])}"
            case "life_cycle.entered" if event["former"]:
                return f"enters the stage {event['stage']}" + (", and is given a coupon" if event["coupons"] else "")
            case _:
                return ""

    def _day(self, value: Any) -> str:
        at = datetime.fromisoformat(value) if isinstance(value, str) else instant(value)
        return written_day(local_day(at, self.zone))


@dataclass(frozen=True)
class Done:
    """An operation in the books."""

    at: datetime
    who: str
    act: tuple[str, str]
    points: int
    growth: int
    order: int
    tier: str
    events: tuple[Mapping[str, Any], ...]


_ACTS: Final[Mapping[tuple[str, str], str]] = {
    ("ledger", "expire"): "what was not spent in time is lost",
    ("birthday", "gift"): "is given a present for the birthday",
    ("ambassador", "commission"): "is given a commission on a friend's order",
    ("ambassador", "reduce"): "the commission goes back with the friend's order",
    ("referral", "reward"): "is given points, as the friend has bought",
    ("leaderboard", "prize"): "is given a prize of the leaderboard",
    ("investment", "pay_back"): "is paid back what was staked, with what it has brought",
    ("auction", "close"): "the highest bid is spent, and the auction won",
    ("badge", "judge"): "is given a badge",
    ("gift", "take"): "is given points by a friend",
}
"""Words for what happens to members without their doing."""


def missing(event: Mapping[str, Any]) -> str:
    """What is missing to keep a tier: '800 of 1,201 points earned'."""
    words = [
        f"with {written(one['current'])} of {written(one['required'])} {_FACTS.get(one['fact'], one['fact'])}"
        for one in event["criteria"]
    ]
    return (" and " if event["mode"] == "all" else " or ").join(words)


_FACTS: Final = {
    "points_earned": "points earned",
    "growth_earned": "growth",
    "spend": "CNY spent",
    "average_order": "CNY an order",
}


def written(number: str) -> str:
    """'20000' as 20,000."""
    whole, point, rest = number.partition(".")
    return f"{int(whole):,}{point}{rest}"


def written_day(day: date | str) -> str:
    """'2026-01-05' as 5 January 2026."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{day.day} {day:%B %Y}"


async def sound(story: Story) -> None:
    """All accounts of the shop are in order."""
    shop = story.shop
    assert await verify(shop.laurel.store.reader(), shop.laurel.plugins.invariants) == []


def told_of(story: Story) -> Sequence[Row]:
    """The rows in the order of time."""
    return sorted(story.rows, key=lambda row: row.at)


def external(life: Life) -> str:
    return read_id(life.id)[1]
