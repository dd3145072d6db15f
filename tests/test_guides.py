"""The guide to the programme is true: its documents load or are refused as it says, and its numbers are the code's."""

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import click
import graphql
import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel, TypeAdapter

from core.books.accounts import Account
from core.books.lots import Lot
from core.books.members import ByExternalId
from core.channels.orders import FACTS, LineFacts, MemberFacts, OrderFacts
from core.channels.redemption import RedeemPoints
from core.errors import ProgrammeInvalid
from core.ladder.keeping import Keep
from core.ladder.tiers import FACTS as TIER_FACTS
from core.ladder.tiers import Criterion, Ladder, Need, Tier
from core.rulebook import expressions, language
from core.rulebook.expiry import ExpiryPolicy, expires_at
from core.rulebook.expressions import ExpressionInvalid, Scope
from core.rulebook.programme import Programme, RoundingSettings, UnitSettings, load_programme
from core.rulebook.rules import Budget, Caps, Compilation, Group, Pending, Rule, RuleSet, Validity
from core.store.databases import Tables, connect
from core.time.calendar import day_start, local_day
from core.time.windows import Window
from core.trust.settings import PaceRule, TrustSettings
from core.units import POINTS
from graph.commands.programme import command
from graph.schema import print_sdl
from graph.settings import Settings
from plugins.manager import load_plugins
from plugins.purchase.rules import PurchaseSettings, price
from tests.databases import SqliteFolder
from tests.plugins.shopping import JULY, PLUGINS, Shop, open_shop

ROOT: Final = Path(__file__).parents[1]
EVERY: Final = load_plugins()
GUIDE: Final = (ROOT / "docs" / "programme.md").read_text(encoding="utf-8")

Row = dict[str, str]


class Block(NamedTuple):
    """A fenced block: ``says`` is its info string, ``line`` where it begins."""

    says: str
    text: str
    line: int

    @property
    def whole(self) -> bool:
        """Whether it is a whole programme and not a part of one."""
        return self.text.startswith("id:")


def _blocks() -> list[Block]:
    found = re.finditer(r"^```([^\n]*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return [Block(each[1], each[2], GUIDE.count("\n", 0, each.start()) + 1) for each in found]


def _tables() -> dict[str, list[Row]]:
    """The tables, each by the first cell of its head."""
    tables: dict[str, list[Row]] = {}
    for text in re.findall(r"(?:^\|.*\|\n)+", GUIDE, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split(" |")] for line in text.splitlines())
        assert head[0] not in tables, head[0]
        tables[head[0]] = [dict(zip(head, row, strict=True)) for row in rows]
    return tables


BLOCKS: Final = _blocks()
TABLES: Final = _tables()
SMALLEST: Final[Mapping[str, Any]] = yaml.safe_load(BLOCKS[0].text)
"""The programme that the guide begins with."""

RULES: Final = ("groups", "caps", "pending")


def code(cell: str) -> str:
    """What stands in the cell as code."""
    assert cell.startswith("`"), cell
    assert cell.endswith("`"), cell
    return cell[1:-1]


def rows(table: str) -> list[Any]:
    return [pytest.param(row, id=f"{table}: {' '.join(row.values())[:60]}") for row in TABLES[table]]


def document(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The smallest programme with this part in it."""
    rules = {key: value for key, value in part.items() if key in RULES}
    rest = {key: value for key, value in part.items() if key not in RULES}
    earn = SMALLEST["channels"]["purchase"]["earn"]["points"]
    return {**SMALLEST, "channels": {"purchase": {"earn": {"points": {**earn, **rules}}}}, **rest}


def written(block: Block) -> str | Mapping[str, Any]:
    """The programme that a block stands for."""
    return block.text if block.whole else document(yaml.safe_load(block.text))


def load(given: str | Mapping[str, Any]) -> Programme:
    return load_programme(given, EVERY.settings, EVERY.facts, EVERY.countables)


def purchases(programme: Programme) -> PurchaseSettings:
    settings = programme.channels["purchase"]
    assert isinstance(settings, PurchaseSettings)
    return settings


def example(name: str) -> Programme:
    return load((ROOT / "examples" / "programmes" / f"{name}.yaml").read_text(encoding="utf-8"))


def part(starts: str) -> Programme:
    """The programme that the guide's block beginning so makes."""
    (found,) = (block for block in BLOCKS if block.says == "yaml" and block.text.startswith(starts))
    return load(written(found))


def order(amount: str, *lines: LineFacts, kind: str | None = None, at: datetime = JULY) -> OrderFacts:
    paid, pieces = Decimal(amount), sum((line.quantity for line in lines), Decimal(0))
    return OrderFacts(paid, paid, pieces, None, kind, True, 0, list(lines), at)


def buyer(tier: str = "regular") -> MemberFacts:
    return MemberFacts(tier, date(1990, 7, 2), True, True, ["vip"], 0, datetime(2026, 6, 11, 16, tzinfo=UTC))


MILK: Final = LineFacts("A1", "milk_powder", Decimal("299.90"), Decimal(1), [])
TEA: Final = LineFacts("T7", "tea", Decimal("45.50"), Decimal(2), ["new"])


# -- documents --------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.says == "yaml"], ids=lambda block: f"line {block.line}")
def test_every_document_of_the_guide_loads(block: Block) -> None:
    programme = load(written(block))

    assert purchases(programme).earn[POINTS].groups


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusals(*, parts: bool) -> list[Any]:
    found = [(block, answer) for block, answer in pairwise(BLOCKS) if block.says == "yaml refused"]
    return [pytest.param(*pair, id=f"line {pair[0].line}") for pair in found if pair[0].whole is not parts]


@pytest.mark.parametrize(("block", "answer"), refusals(parts=True))
def test_every_refused_part_is_refused_with_what_the_guide_shows(block: Block, answer: Block) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load(written(block))

    assert refused.value.summary == answer.text.rstrip("\n")


@pytest.mark.parametrize(("block", "answer"), refusals(parts=False))
def test_the_command_prints_what_the_guide_shows(block: Block, answer: Block, in_folder: Path) -> None:
    (in_folder / "programme.yaml").write_text(block.text, encoding="utf-8")

    checked = CliRunner().invoke(command, ["check", "programme.yaml"], obj=Settings())

    assert (checked.output, checked.exit_code) == (answer.text, 1)


@pytest.mark.parametrize("typed", re.findall(r"^laurel programme (.*)$", GUIDE, re.MULTILINE))
def test_commands_can_be_typed_as_the_guide_shows_them(typed: str, in_folder: Path) -> None:
    (in_folder / "programme.yaml").touch()
    name, *arguments = shlex.split(typed)
    assert isinstance(command, click.Group)

    context = command.commands[name].make_context(name, list(arguments))

    given = {value for value in context.params.values() if value is not None}
    assert len(given) == len([word for word in arguments if not word.startswith("--")])


def test_blocks_are_of_kinds_that_are_checked() -> None:
    assert {block.says for block in BLOCKS} == {"yaml", "yaml refused", "text", "graphql", ""}


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.says == "graphql"], ids=lambda block: f"line {block.line}")
def test_requests_of_the_guide_fit_the_schema(block: Block) -> None:
    schema = graphql.build_schema(print_sdl(PLUGINS))

    assert graphql.validate(schema, graphql.parse(block.text)) == []


SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "the document": Programme,
    "`rounding`": RoundingSettings,
    "`purchase`": PurchaseSettings,
    "a rule set": RuleSet,
    "a group": Group,
    "a rule": Rule,
    "`caps`": Caps,
    "a budget": Budget,
    "`pending`": Pending,
    "`valid`": Validity,
    "a unit": UnitSettings,
    "`expiry`": ExpiryPolicy,
    "`tiers`": Ladder,
    "a tier": Tier,
    "a criterion": Criterion,
    "`keep`": Keep,
    "`trust`": TrustSettings,
    "a pace": PaceRule,
}


def test_every_section_of_the_document_has_its_table() -> None:
    assert {f"key of {name}" for name in SECTIONS} == {head for head in TABLES if head.startswith("key of ")}


@pytest.mark.parametrize("section", SECTIONS)
def test_tables_of_keys_name_every_key_with_its_default(section: str) -> None:
    head, model = f"key of {section}", SECTIONS[section]
    told = {code(row[head]): row["default"] for row in TABLES[head]}

    assert sorted(told) == sorted(field.alias or name for name, field in model.model_fields.items())
    for name, field in model.model_fields.items():
        said = told[field.alias or name]
        if field.is_required() or said == "required":
            assert (field.is_required(), said) == (True, "required")
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if said == "—":
            assert default is None
        else:
            kind: Any = Annotated[field.annotation, field]
            assert TypeAdapter(kind).validate_python(yaml.safe_load(code(said))) == default


# -- what an order earns ----------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("rounding mode"))
def test_rounding(row: Row) -> None:
    mode, *told = row.items()
    programme = load({**SMALLEST, "rounding": {"mode": code(mode[1])}})

    assert [(value, str(programme.round(Decimal(value)))) for value, _ in told] == told


@pytest.mark.parametrize("row", rows("group"))
def test_how_rules_combine(row: Row) -> None:
    verb, mode = code(row["group"]).split(": ")
    key = "points" if verb == "add" else "factor"
    rules = [{"id": f"r{at}", key: value} for at, value in enumerate(row["values of the rules"].split(", "))]
    before = {"id": "before", "add": "sum", "rules": [{"id": "hundred", "points": 100}]}
    groups = [before, {"id": "group", verb: mode, "rules": rules}]
    settings = purchases(load(document({"groups": groups})))

    assert price(order("1"), buyer(), settings, {})[POINTS].points == int(row["100 becomes"])


def test_an_order_is_carried_to_the_last_point_step_by_step() -> None:
    settings = purchases(example("first-shop"))
    table = TABLES["step of the order"]

    def totals(*lines: LineFacts) -> list[Decimal]:
        amount = sum((line.amount for line in lines), Decimal(0))
        trace = price(order(str(amount), *lines), buyer(), settings, {})[POINTS].trace
        return [Decimal(total) for _, _, total in trace]

    award = price(order("345.40", MILK, TEA), buyer(), settings, {})[POINTS]

    told = [(code(row["step of the order"]), _hits(row["rules that apply"]), Decimal(row["total"])) for row in table]
    assert told == [
        (step, {rule: Decimal(value) for rule, value in hits}, Decimal(total)) for step, hits, total in award.trace
    ]
    assert [Decimal(row["milk powder"]) for row in table[:3]] == totals(MILK)[:3]
    assert [Decimal(row["tea"]) for row in table[:3]] == totals(TEA)[:3]
    assert f"so Ann earns {award.points} points" in GUIDE
    assert not award.cut


def _hits(cell: str) -> dict[str, Decimal]:
    return {} if cell == "none" else {rule: Decimal(value) for rule, value in map(str.split, cell.split(", "))}


@pytest.mark.parametrize("row", rows("kind of order"))
def test_the_worked_calculation_of_order_types(row: Row) -> None:
    settings = purchases(example("order-types"))
    kind = row["kind of order"]
    placed = order("299.90", kind=None if kind == "none" else code(kind))

    for tier in ("regular", "gold", "platinum"):
        cell = row[tier]
        exact, points = cell.split(" → ")
        award = price(placed, buyer(tier), settings, {})[POINTS]
        assert (Decimal(award.trace[-2][2]), award.points) == (Decimal(exact), int(points))


def test_caps_cut_the_order_then_the_day() -> None:
    settings = purchases(part("caps:"))
    earned = 0
    for row in TABLES["order of the day"]:
        room = settings.earn[POINTS].caps.room(day=earned, month=earned)
        award = price(order(row["order of the day"]), buyer(), settings, {POINTS: room})[POINTS]
        cut = dict(award.cut)
        said = {cap: int(row[f"cut by `{cap}`"]) for cap in ("order", "day")}
        assert ({cap: cut.get(cap, 0) for cap in said}, award.points) == (said, int(row["earns"]))
        earned += award.points


@pytest.mark.parametrize("row", rows("paid at"))
def test_a_rule_is_valid_from_the_first_instant_until_just_before_the_last(row: Row) -> None:
    placed = order("100.00", at=datetime.fromisoformat(row["paid at"]))

    assert price(placed, buyer(), purchases(example("mother-baby")), {})[POINTS].points == int(row["earns"])


# -- expiry and tiers -------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("`expiry`"))
def test_expiry_dates(row: Row) -> None:
    policy, zone = ExpiryPolicy(**yaml.safe_load(code(row["`expiry`"]))), load(SMALLEST).zone
    begins = day_start(date.fromisoformat(row["earned on"]), zone)
    days = set[tuple[str, str]]()
    for earned_at in (begins, begins + timedelta(hours=24, microseconds=-1)):
        lost = expires_at(policy, earned_at, zone)
        if lost is None:
            days.add(("always", "never"))
            continue
        day = local_day(lost, zone)
        assert lost == day_start(day, zone)
        days.add((str(local_day(lost - timedelta(microseconds=1), zone)), str(day)))

    assert days == {(row["last day of use"], row["lost at 00:00 of"])}


def test_every_fact_of_tiers_is_explained() -> None:
    assert [code(row["fact of tiers"]) for row in TABLES["fact of tiers"]] == list(TIER_FACTS)


@pytest.mark.parametrize("row", rows("points"))
def test_tiers_and_progress(row: Row) -> None:
    ladder = part("tiers:").tiers
    assert ladder is not None
    year, month = Window(months=12), Window(days=30)
    figures = {
        Need("points_earned", year): int(row["points"]),
        Need("orders", month): int(row["orders, 30 days"]),
        Need("growth_earned", year): int(row["growth"]),
        Need("orders", year): int(row["orders, 12 months"]),
    }

    assert ladder.needs() == figures.keys()
    assert ladder.evaluate(figures) == row["tier"]
    assert ladder.progress(figures, row["tier"]).ratio == Decimal(row["progress to the next"])


@pytest.mark.parametrize("row", rows("window"))
def test_windows_begin(row: Row) -> None:
    window = yaml.safe_load(code(row["window"]))
    start = Ladder.model_validate({"window": window, "ladder": [{"id": "all"}]}).window.start(
        date.fromisoformat(row["on"])
    )

    assert row["counts from"] == ("the beginning" if start is None else str(start))


# -- refunds ----------------------------------------------------------------------------------------


APPS: Final = {"core": Tables(("core.models",), "core.migrations"), **PLUGINS.tables}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("guides"))


@pytest.fixture
def sqlite(folder: SqliteFolder) -> str:
    """The address of a database with all tables and no row."""
    return folder.migrated(APPS)


async def _bought_and_sent_back(shop: Shop, cells: Sequence[str]) -> list[tuple[int, int]]:
    """What the order is worth and what was taken back, as its money comes back down to these amounts."""
    await shop.buy("A", cells[0])
    told = [(await shop.available(), 0)]
    for before, after in pairwise(cells):
        await shop.send_back("A", str(Decimal(before) - Decimal(after)))
        told.append((await shop.available(), told[0][0] - await shop.available()))
    return told


async def test_a_refund_prices_what_is_left(sqlite: str) -> None:
    table = TABLES["left of the order"]

    async with connect(sqlite, APPS), open_shop(_text({"caps": {"order": 500}})) as shop:
        told = await _bought_and_sent_back(shop, [row["left of the order"] for row in table])

    assert told == [(int(row["is worth"]), int(row["taken back so far"])) for row in table]


async def test_pending_points_can_be_spent_at_the_very_hour(sqlite: str) -> None:
    paid, open_from = (datetime(2026, 7, day, 12, tzinfo=load(SMALLEST).zone) for day in (2, 9))
    available = []

    async with connect(sqlite, APPS), open_shop(_text({"pending": {"days": 7}}), paid) as shop:
        await shop.buy("A", "100")
        for at in (open_from - timedelta(microseconds=1), open_from):
            shop.clock.set(at)
            available.append(await shop.available())

    assert available == [0, 100]
    assert "paid on 2 July at 12:00 brings points that can be spent from 9 July at 12:00" in GUIDE


@pytest.mark.parametrize("policy", [code(row["`claw_back`"]) for row in TABLES["`claw_back`"]])
async def test_what_had_expired_is_not_asked_for_again(policy: str, sqlite: str) -> None:
    given = {"claw_back": policy, "expiry": {"mode": "per_lot", "months": 1}}

    async with connect(sqlite, APPS), open_shop(_text(given)) as shop:
        await shop.buy("A", "300")
        shop.clock.set(JULY + timedelta(days=40))
        await shop.buy("B", "80")
        await shop.send_back("A")
        (account,) = await shop.rows(Account, unit=POINTS)
        left = await shop.available()

    assert (left, account.debt) == (80, 0)


@pytest.mark.parametrize("row", rows("`claw_back`"))
async def test_claw_back_policies(row: Row, sqlite: str) -> None:
    policy = {"claw_back": code(row["`claw_back`"]), "expiry": {"mode": "per_lot", "months": 12}}

    async with connect(sqlite, APPS), open_shop(_text(policy)) as shop:
        await shop.buy("first", "300", occurred_at=JULY - timedelta(days=1))
        await shop.buy("second", "80")
        spent = RedeemPoints(member=ByExternalId("ann"), idempotency_key="spent", actor="a test", points=250)
        assert (await shop.submit(spent)).refusal is None
        before = {lot.seq: lot.remaining for lot in await shop.rows(Lot)}
        await shop.send_back("first")
        after = {lot.seq: lot.remaining for lot in await shop.rows(Lot)}
        (account,) = await shop.rows(Account, unit=POINTS)
        left = await shop.available()
        await shop.buy("third", "200")
        then = await shop.available()

    assert {
        "from the order's own": str(before[1] - after[1]),
        "from other points": str(before[2] - after[2]),
        "debt": str(account.debt),
        "can spend": str(left),
        "after 200 more": str(then),
    } == {head: cell for head, cell in row.items() if head != "`claw_back`"}


def _text(given: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document(given))


# -- rex/1 ------------------------------------------------------------------------------------------


def scope(place: str) -> tuple[Scope, type[Any]]:
    """Where an expression of the guide stands, and what it must give: ``points, per line``."""
    programme = example("first-shop")
    compilation = Compilation(FACTS, lists=programme.lists, zone=programme.zone)
    wanted, _, per = place.partition(", ")
    found = compilation.line if per == "per line" else compilation.order
    assert found is not None
    return found, {"points": Decimal, "when": bool}[wanted]


def test_every_fact_of_purchases_is_explained_with_its_type() -> None:
    told = {code(row["fact"]): row["type"] for row in TABLES["fact"]}

    assert told == {
        f"{name}.{attribute}": language.spoken(language.type_of(annotation))
        for name, kind in FACTS.items()
        for attribute, annotation in get_type_hints(kind).items()
    }


@pytest.mark.parametrize("row", rows("operator"))
def test_operators_have_an_example_that_compiles(row: Row) -> None:
    text = code(row["example"])
    compiled = []
    for place in ("points", "when"):
        where, wanted = scope(place)
        try:
            compiled.append(where.compile(text, wanted))
        except ExpressionInvalid:
            continue

    assert len(compiled) == 1
    assert all(operator in text for operator in map(code, row["operator"].split(" ")))


def test_every_function_and_attribute_is_explained() -> None:
    told = {code(row["function"]): row["takes"] for row in TABLES["function"]}
    of = {row["of"]: set(re.findall(r"`(\w+)`", row["there is"])) for row in TABLES["of"]}

    assert told == {name: function.asks_for for name, function in language.FUNCTIONS.items()}
    assert of == {
        "a date": set(language.ATTRIBUTES["DATETIME"]),
        "a span of time": set(language.ATTRIBUTES["TIMEDELTA"]),
        "a text": {*language.ATTRIBUTES["STRING"], *language.METHODS},
        "a list": set(language.ATTRIBUTES["ARRAY"]),
    }


@pytest.mark.parametrize("row", rows("expression"))
def test_recipes_give_what_the_guide_says(row: Row) -> None:
    where, wanted = scope(row["for"])
    zone = example("first-shop").zone
    bindings = {"order": order("345.40", MILK, TEA, at=JULY.astimezone(zone)), "member": buyer(), "line": MILK}

    value = where.compile(code(row["expression"]), wanted).evaluate(bindings)

    assert value == (Decimal(row["gives"]) if wanted is Decimal else {"true": True, "false": False}[row["gives"]])


@pytest.mark.parametrize("row", rows("expression refused"))
def test_refused_expressions_say_why(row: Row) -> None:
    where, wanted = scope(row["for"])

    with pytest.raises(ExpressionInvalid) as refused:
        where.compile(code(row["expression refused"]), wanted)

    assert str(refused.value) == row["because"]


def test_limits_of_expressions() -> None:
    where, wanted = scope("points")
    line, _ = scope("points, per line")

    assert [int(row["at most"]) for row in TABLES["limit"]] == [
        expressions.TEXT_MAX,
        expressions.TOKENS_MAX,
        expressions.NESTING_MAX,
        where.comprehensions_max,
        line.comprehensions_max,
        15,
    ]
    assert where.compile("9" * 15, wanted).evaluate({}) == 10**15 - 1
    with pytest.raises(ExpressionInvalid):
        where.compile("9" * 16, wanted)


PAGES: Final = ("README.md", "docs/access.md", "docs/front-end.md", "docs/transport.md", "plugins/*/README.md")


@pytest.mark.parametrize("page", sorted(path for pattern in PAGES for path in ROOT.glob(pattern)), ids=str)
def test_requests_of_every_page_fit_the_schema(page: Path) -> None:
    schema = graphql.build_schema(print_sdl(load_plugins()))
    requests = re.findall(r"^```graphql\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert [graphql.validate(schema, graphql.parse(request)) for request in requests] == [[] for _ in requests]
