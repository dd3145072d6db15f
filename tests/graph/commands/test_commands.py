"""Each command does what it says, says what went wrong in one line, and ends with the status that it promises."""

import csv
import json
import sqlite3
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.oversight.keys import is_key
from core.oversight.verify import INVARIANTS
from graph.cli import laurel
from graph.tokens import Role, read_token
from plugins.manager import load_plugins
from tests.graph.commands.conftest import EXAMPLES, PROGRAMME, PROGRAMMES, SECRET, Type

ALL = len(INVARIANTS) + len(load_plugins().invariants)
SALES = """\
kind,reference,order,member,at,amount,points,reason
sale,A1,,ann,2026-03-01T10:00:00,600.00,,
sale,A2,,bob,2026-03-02,80.00,,
refund,R1,A1,ann,2026-03-05,100.00,,
adjustment,G1,,bob,2026-03-06,,-10,a mistake
cancellation,C1,A2,bob,2026-03-07,,,
"""


def sql(database: str, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(database.removeprefix("sqlite://")) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    return path


# -- the whole ----------------------------------------------------------------------------------------


def test_help_lists_every_command_with_what_it_does() -> None:
    shown = CliRunner().invoke(laurel, ["--help"])

    assert shown.exit_code == 0
    for name in ("serve", "migrate", "programme", "import", "report", "verify", "expire", "token", "schema"):
        assert f"\n  {name} " in shown.output


def test_the_installed_command_is_this_one() -> None:
    project = tomllib.loads((EXAMPLES.parent / "pyproject.toml").read_text())

    assert project["project"]["scripts"]["laurel"] == "graph.cli:main"


@pytest.mark.parametrize(
    ("database", "reason"),
    [
        ("oracle://x", "a database address begins with sqlite://"),
        ("sqlite:///no/such/folder/x.sqlite3", "cannot be reached"),
        ("postgres://x@127.0.0.1:1/x", "postgres://x@127.0.0.1:1/x cannot be reached"),
        ("mysql://x@127.0.0.1:1/x", "mysql://x@127.0.0.1:1/x cannot be reached"),
    ],
)
@pytest.mark.parametrize("command", ["report", "verify", "migrate", "expire"])
def test_a_database_that_is_not_there_is_told_in_one_line(
    type_: Type, database: str, reason: str, command: str
) -> None:
    done = type_(database, command)

    assert done.exit_code == 2
    assert done.output.startswith("laurel: ")
    assert reason in done.output
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("command", ["report", "verify", "expire"])
def test_a_database_that_was_not_migrated_is_told(type_: Type, empty: str, command: str) -> None:
    done = type_(empty, command)

    assert done.exit_code == 2
    assert done.output.startswith("laurel: run `laurel migrate` first: ")
    assert "core.0001_initial" in done.output


def test_a_file_that_is_no_database_is_told(type_: Type, tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_text("this is no database, but it is long enough to be taken for one" * 20)

    done = type_("sqlite://x.sqlite3", "report")

    assert done.exit_code == 2
    assert "laurel: " in done.output
    assert "not a database" in done.output


def test_a_setting_that_cannot_be_meant_is_told(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_PORT", "http")

    done = type_("sqlite://x.sqlite3", "migrate")

    assert (done.exit_code, done.output) == (2, "laurel: LAUREL_PORT is a number, not 'http'\n")


def test_migrating_twice_is_migrating_once(type_: Type, empty: str) -> None:
    first, second = type_(empty, "migrate"), type_(empty, "migrate")

    assert "applied core.0001_initial" in first.output
    assert second.output == f"{empty} is up to date\n"


# -- the programme ------------------------------------------------------------------------------------


def test_every_example_can_be_published(type_: Type) -> None:
    for file in PROGRAMMES.glob("*.yaml"):
        done = type_("sqlite://x.sqlite3", "programme", "check", file)

        assert (file.name, done.exit_code) == (file.name, 0), done.output


def test_a_wrong_programme_is_told_with_all_its_places(type_: Type, migrated: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("id: shop\ncurrency: CNX\ntimezone: Asia/Shanghai\nexpiri: {mode: never}\n")

    checked = type_(migrated, "programme", "check", file)
    published = type_(migrated, "programme", "publish", file, "--reason", "try it")

    assert checked.exit_code == published.exit_code == 1
    assert checked.output == published.output
    first, second, third = checked.output.splitlines()
    assert first.startswith(f"{file}:2:1: currency: no currency 'CNX' in ISO 4217")
    assert second == f"{file}:4:1: expiri: unknown key 'expiri', did you mean 'expiry'?"
    assert third == "2 problems"
    assert sql(migrated, "SELECT COUNT(*) FROM programme_version") == [(0,)]


def test_the_first_version_may_begin_in_the_past_and_no_later_one(type_: Type, opened: str) -> None:
    shown = type_(opened, "programme", "show", "--at", "2025-06-01")
    again = type_(
        opened, "programme", "publish", PROGRAMMES / "sme.yaml", "--reason", "changed", "--starts-at", "2025-03-01"
    )
    now = type_(opened, "programme", "publish", PROGRAMMES / "sme.yaml", "--reason", "changed", "--author", "ann")

    assert shown.exit_code == 0
    assert "# version 1, in force from 2025-01-01T00:00:00+08:00" in shown.stderr
    assert shown.stdout == PROGRAMME
    assert again.exit_code == 2
    assert "a version begins now or later" in again.output
    assert now.exit_code == 0
    assert "by ann: changed" in type_(opened, "programme", "show").stderr


def test_there_is_nothing_to_show_before_the_first_version(type_: Type, migrated: str) -> None:
    assert "no programme was in force" in type_(migrated, "programme", "show").output
    assert "no programme was in force" in type_(migrated, "report").output


# -- import and report --------------------------------------------------------------------------------


def test_sales_refunds_cancellations_and_adjustments_go_in_once(type_: Type, opened: str, sales: Path) -> None:
    first = type_(opened, "import", "orders", sales, "--as-of", "row")
    second = type_(opened, "import", "orders", sales, "--as-of", "row")

    figures = json.loads(type_(opened, "report", "--at", "2026-03-31", "--json").output)

    assert (first.exit_code, first.output) == (0, "5 imported, 0 were there already\n")
    assert (second.exit_code, second.output) == (0, "0 imported, 5 were there already\n")
    assert (figures["members"], figures["orders"]) == (2, 1)
    # 100 off the first order, and all of the second, of which 10 are gone.
    assert figures["units"]["points"] == {
        "earned": 680,
        "adjusted": -10,
        "redeemed": 0,
        "given_back": 0,
        "clawed_back": 180,
        "expired": 0,
        "transferred": 0,
        "available": 500,
        "pending": 0,
        "held": 0,
        "debt": 10,
    }
    assert figures["tiers"] == {"regular": 1, "silver": 1}
    assert not list(sales.parent.glob("*.rejects.csv"))


@pytest.mark.parametrize("lanes", ["1", "2"])
def test_rows_that_do_not_go_in_are_in_the_rejects_file(type_: Type, opened: str, sales: Path, lanes: str) -> None:
    sales.write_text(
        SALES
        + "sale,A3,,cid,2999-01-01,5,,\n"
        + "sale,A4,,cid,2026-03-01,12.345,,\n"
        + "refund,R2,A9,ann,2026-03-01,5,,\n"
        + "gift,A5,,cid,2026-03-01,5,,\n"
    )

    done = type_(opened, "import", "orders", sales, "--as-of", "2026-03-31", "--rejects", "left.csv", "--lanes", lanes)

    assert done.exit_code == 1
    assert "5 imported" in done.stdout
    with Path("left.csv").open() as file:
        rejects = list(csv.DictReader(file))
    assert [(reject["row"], reject["reason"]) for reject in rejects] == [
        ("7", "2998-12-31T16:00:00+00:00 is not a valid instant: it lies in the future"),
        ("8", "12.345 is not a valid amount: finer than the minor unit of CNY"),
        ("9", "no order A9"),
        ("10", "kind is not valid: must be one of sale, refund, cancellation, adjustment"),
    ]
    assert rejects[0]["content"] == "sale,A3,,cid,2999-01-01,5,,"
    assert rejects[0]["file"] == str(sales)
    assert sql(opened, "SELECT COUNT(*) FROM member") == [(2,)]


def test_orders_of_guests_go_in_where_that_is_said(type_: Type, opened: str, sales: Path, tmp_path: Path) -> None:
    sales.write_text(SALES + "sale,G1,,,2026-03-01,12.34,,\n")

    without = type_(opened, "import", "orders", sales, "--as-of", "row")
    told = type_(opened, "import", "orders", sales, "--as-of", "row", "--guests")
    members = tmp_path / "members.csv"
    members.write_text("member\nann\n")

    assert (without.exit_code, told.exit_code) == (1, 0)
    assert told.output == "1 imported, 5 were there already\n"
    assert sql(opened, "SELECT reference, customer, paid FROM guest_order WHERE status = 'recorded'") == [
        ("G1", None, 1234)
    ]
    refused = type_(opened, "import", "members", members, "--guests")
    assert (refused.exit_code, refused.output) == (
        2,
        "laurel: --guests is for orders: there are no members of guests\n",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"order_id,customer\n1,ann\n", "name its columns in a mapping file"),
        (b"\x1f\x8b rubbish", "its compression is broken"),
        ("reference,member,at\n1,ren\u00e9,2026-01-01\n".encode("latin-1"), "line 2 is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    type_: Type, opened: str, sales: Path, tmp_path: Path, content: bytes, reason: str
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(content)

    done = type_(opened, "import", "orders", sales, wrong)

    assert done.exit_code == 2
    assert reason in done.output
    assert done.output.count("\n") == 1
    assert sql(opened, "SELECT COUNT(*) FROM operation") == [(0,)]


def test_a_mapping_and_an_importer_must_be_known(type_: Type, opened: str, sales: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("referense: order_id\n")

    assert "did you mean 'reference'" in type_(opened, "import", "orders", sales, "--mapping", mapping).output
    assert "cannot be read" in type_(opened, "import", "orders", sales, "--mapping", "none.yaml").output
    assert (
        "no plugin imports 'reviews'; there is: members, balances, orders"
        in type_(opened, "import", "reviews", sales).output
    )
    assert type_(opened, "import", "orders", sales, "--as-of", "yesterday").exit_code == 2


def test_a_report_is_a_table_too(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")

    shown = type_(opened, "report", "--at", "2026-03-31T12:00")

    assert shown.exit_code == 0
    assert "2 members, 1 orders" in shown.output
    assert "clawed back" in shown.output


def test_a_report_says_what_is_outstanding_now_and_not_then(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")

    shown = type_(opened, "report", "--liability")
    figures = json.loads(type_(opened, "report", "--liability", "--json").output)
    past = type_(opened, "report", "--liability", "--at", "2026-03-31")

    assert shown.exit_code == 0
    assert "points lost in" in shown.output
    owed, points = figures["liability"]["points"], figures["units"]["points"]
    # By the machine's clock, so that what of it has lapsed depends on when this runs.
    assert (owed["available"], owed["debt"]) == (points["available"], 10)
    assert owed["net"] == sum(month["available"] for month in owed["months"]) - 10
    assert past.exit_code == 2
    assert "leave --at out" in past.output


@pytest.mark.parametrize("at", ["2026-02-30", "yesterday", "0001-01-01", "9999-12-31", "9999-12-31T23:59-12:00"])
def test_a_moment_that_the_calendar_lacks_is_a_wrong_command(type_: Type, opened: str, at: str) -> None:
    said = type_(opened, "report", "--at", at)

    assert said.exit_code == 2
    assert at in said.output


# -- verify and expire --------------------------------------------------------------------------------


def test_verify_finds_nothing_in_books_that_are_right(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")

    shown, listed = type_(opened, "verify"), type_(opened, "verify", "--json")

    assert (shown.exit_code, listed.exit_code) == (0, 0)
    assert f"all {ALL} invariants hold" in shown.output
    assert {each["broken"] for each in json.loads(listed.output)} == {0}


def test_verify_shows_what_is_wrong_and_where(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")
    sql(opened, "UPDATE lot SET remaining = remaining - 1 WHERE unit = 'points' AND remaining > 0")

    shown, listed = type_(opened, "verify"), type_(opened, "verify", "--json")

    assert (shown.exit_code, listed.exit_code) == (1, 1)
    broken = {each["invariant"]: each for each in json.loads(listed.output) if each["broken"]}
    assert set(broken) == {"balance in lots", "rest of a lot", "balance that is said"}
    assert broken["rest of a lot"]["offenders"][0]["remaining"] == 499
    assert f"3 of {ALL} invariants are broken" in shown.output


def test_verify_makes_daily_aggregates_right_where_it_is_asked_to(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")
    sql(opened, "DELETE FROM daily_aggregate WHERE name = 'tally'")

    wrong, corrected, again = type_(opened, "verify"), type_(opened, "verify", "--correct"), type_(opened, "verify")

    assert (wrong.exit_code, corrected.exit_code, again.exit_code) == (1, 0, 0)
    assert "daily aggregates" in wrong.output
    assert f"all {ALL} invariants hold" in corrected.output


def test_jobs_are_listed_run_and_looked_after(type_: Type, opened: str, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("reference,member,at,amount\n1,ann,2025-01-10,30.00\n")
    type_(opened, "import", "orders", old, "--as-of", "row")

    listed, before = type_(opened, "jobs", "list"), type_(opened, "jobs", "status", "--json")
    ran, again = type_(opened, "jobs", "run", "expire"), type_(opened, "jobs", "run", "expire")
    unknown, status = type_(opened, "jobs", "run", "expre"), type_(opened, "jobs", "status", "--json")
    sql(opened, "UPDATE job SET error = 'it rained' WHERE name = 'expire'")
    failing = type_(opened, "jobs", "status")

    assert "Gives back the points of holds whose time is over." in listed.output
    runs = {job["name"]: job["runs"] for job in json.loads(before.output)}
    assert list(runs) == sorted(runs)
    assert {"auction_close": 0, "expire": 0, "judge": 0}.items() <= runs.items()
    assert (ran.output, again.output) == ("expire: 1 done\n", "expire: 0 done\n")
    assert (unknown.exit_code, unknown.output) == (2, "laurel: no job expre, did you mean 'expire'?\n")
    expire = next(job for job in json.loads(status.output) if job["name"] == "expire")
    assert (expire["runs"], expire["done"], expire["failures"], expire["error"]) == (2, 0, 0, None)
    assert (before.exit_code, status.exit_code, failing.exit_code) == (0, 0, 1)
    assert "it rained" in failing.output


def test_expire_writes_down_what_has_lapsed_once(type_: Type, opened: str, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("reference,member,at,amount\n1,ann,2025-01-10,30.00\n2,bob,2025-01-11,20.00\n")
    type_(opened, "import", "orders", old, "--as-of", "row")
    before = json.loads(type_(opened, "report", "--json").output)

    first, second = type_(opened, "expire"), type_(opened, "expire")

    after = json.loads(type_(opened, "report", "--json").output)
    assert "2 accounts" in first.stdout
    assert "0 accounts" in second.stdout
    assert before["units"] == after["units"]
    assert after["units"]["points"]["expired"] == 50
    assert type_(opened, "verify").exit_code == 0


# -- tokens and schema --------------------------------------------------------------------------------


def test_a_token_is_for_its_role_and_a_members_for_its_member(type_: Type, opened: str, sales: Path) -> None:
    type_(opened, "import", "orders", sales, "--as-of", "row")
    [(ann,)] = sql(opened, "SELECT id FROM member WHERE external_id = 'ann'")
    now = datetime.now(UTC)

    operator = type_(opened, "token", "--role", "operator", "--subject", "eve", "--hours", "1").output.strip()
    member = type_(opened, "token", "--role", "member", "--external-id", "ann").output.strip()

    assert read_token(SECRET, operator, now=now).actor == "operator:eve"
    caller = read_token(SECRET, member, now=now)
    assert (caller.role, caller.member_id) == (Role.MEMBER, ann)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--role", "member"], "takes either --member or --external-id"),
        (["--role", "admin", "--member", "x"], "takes either --member or --external-id"),
        (["--role", "member", "--member", "x", "--external-id", "y"], "takes either --member or --external-id"),
        (["--role", "member", "--member", "x"], "no member x"),
        (["--role", "king"], "'king' is not one of"),
        (["--role", "partner"], "takes --channel or --capability"),
        (["--role", "admin", "--capability", "rewards.stock"], "takes --channel or --capability"),
        (["--role", "partner", "--capability", "rewards.stok"], "did you mean 'rewards.stock'?"),
    ],
)
def test_a_token_that_cannot_be_meant_is_refused(type_: Type, opened: str, words: list[str], reason: str) -> None:
    done = type_(opened, "token", *words)

    assert done.exit_code == 2
    assert reason in done.output


def test_without_a_secret_there_is_no_token(type_: Type, opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAUREL_SECRET")

    assert "LAUREL_SECRET is not set" in type_(opened, "token", "--role", "admin").output


def test_a_key_is_made_exchanged_and_ended(type_: Type, opened: str) -> None:
    made = type_(opened, "key", "create", "--name", "codes", "--role", "partner", "--capability", "rewards.stock")
    [(first,)] = sql(opened, "SELECT id FROM api_key")
    exchanged = type_(opened, "key", "rotate", first, "--overlap-hours", "0")
    listed = type_(opened, "key", "list")
    again = type_(opened, "key", "revoke", first)
    [(second,)] = sql(opened, f"SELECT id FROM api_key WHERE replaces = '{first}'")
    ended = type_(opened, "key", "revoke", second)
    noted = sql(opened, "SELECT mutation FROM audit WHERE actor LIKE 'command:%' ORDER BY number")

    assert is_key(made.stdout.strip())
    assert is_key(exchanged.stdout.strip())
    assert listed.stdout.count("laurel_") == 2
    assert (again.exit_code, ended.exit_code) == (2, 0)
    assert f"API key {first} ended at" in again.output
    assert [mutation for (mutation,) in noted] == ["createApiKey", "rotateApiKey", "revokeApiKey"]
    assert type_(opened, "key", "create", "--name", "x", "--role", "member").exit_code == 2
    assert type_(opened, "verify").exit_code == 0


def test_schema_prints_what_is_committed(type_: Type) -> None:
    printed = type_("sqlite://x.sqlite3", "schema")

    assert printed.exit_code == 0
    assert "recordPurchase(" in printed.output
