"""``laurel programme history``, ``diff``, ``export`` and ``rollback``, and what ``check`` says of broken YAML."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.graph.commands.conftest import PROGRAMME, PROGRAMMES, Type

SHORTER = PROGRAMME.replace("months: 12", "months: 9")


@pytest.fixture
def versions(migrated: str, type_: Type, tmp_path: Path) -> str:
    """A database with two versions: of a year, then of nine months."""
    for number, text in enumerate((PROGRAMME, SHORTER), 1):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        reason = ("--reason", f"the reason {number}", "--author", "ann")
        assert type_(migrated, "programme", "publish", file, *reason).exit_code == 0
    return migrated


def test_the_history_says_who_published_what_when_and_why(type_: Type, versions: str, migrated: str) -> None:
    told = type_(versions, "programme", "history")

    lines = told.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1", "2"]
    assert lines[1].endswith("by ann: the reason 2")
    assert "+08:00" in lines[0]


def test_a_version_is_written_out_as_it_was_published(type_: Type, versions: str, tmp_path: Path) -> None:
    shown = type_(versions, "programme", "export", "1")
    written = type_(versions, "programme", "export", "2", tmp_path / "out.yaml")
    missing = type_(versions, "programme", "export", "3")

    assert shown.stdout == PROGRAMME
    assert (written.exit_code, (tmp_path / "out.yaml").read_text(encoding="utf-8")) == (0, SHORTER)
    assert (missing.exit_code, missing.stderr) == (2, "laurel: no version 3 of the programme\n")


def test_the_lines_in_which_two_documents_differ_are_shown(type_: Type, versions: str, tmp_path: Path) -> None:
    differ = type_(versions, "programme", "diff", "--lines", "1", "2")
    same = type_(versions, "programme", "diff", "--lines", "1", tmp_path / "1.yaml")
    nothing = type_(versions, "programme", "diff", "--lines", "1", "nothing.yaml")

    assert differ.exit_code == 0
    assert [line for line in differ.stdout.splitlines() if line[0] in "+-"] == [
        "--- 1",
        "+++ 2",
        "-expiry: {mode: per_lot, months: 12}",
        "+expiry: {mode: per_lot, months: 9}",
    ]
    assert (same.exit_code, same.stdout) == (0, "")
    assert nothing.exit_code == 2
    assert "neither the number of a version nor a file" in nothing.stderr


def test_what_is_worth_a_second_look_in_a_file_is_said(type_: Type, migrated: str, tmp_path: Path) -> None:
    file = tmp_path / "endless.yaml"
    file.write_text(PROGRAMME, encoding="utf-8")

    looked_at = type_(migrated, "programme", "lint", file)

    count = len(looked_at.stdout.splitlines())
    assert all(line.startswith(f"{file}:") for line in looked_at.stdout.splitlines())
    assert looked_at.stderr == f"{count} warning{'s' if count != 1 else ''}\n"
    assert looked_at.exit_code == (1 if count else 0)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("nothing.yaml", "nothing.yaml is neither a file nor the number of a version"),
        ("²", "² is neither a file nor the number of a version"),
        ("9", "no version 9 of the programme"),
        ("9" * 30, "no version 999"),
    ],
)
def test_what_is_neither_a_file_nor_a_version_is_not_simulated(
    type_: Type, versions: str, what: str, says: str
) -> None:
    refused = type_(versions, "programme", "simulate", what, "--from", "2026-01-01", "--to", "2026-01-31")

    assert refused.exit_code == 2
    assert says in refused.stderr


def test_a_former_version_is_put_in_force_again_and_warned_of(
    type_: Type, versions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_PUBLISH_BY_TWO", "yes")
    done = type_(versions, "programme", "rollback", "1", "--reason", "too short", "--author", "bob")
    again = type_(versions, "programme", "rollback", "3", "--reason", "once more")
    silent = type_(versions, "programme", "rollback", "2", "--reason", " ")

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("version 3 of shop is published, in force from ")
    assert "warning: core rules change again in the quarter" in done.stderr
    assert "version 2 by ann (the reason 2) changed expiry" in done.stderr
    assert "a second person would have had to approve it" in done.stderr
    assert type_(versions, "programme", "show").stdout == PROGRAMME
    assert (again.exit_code, again.stderr) == (2, "laurel: version 3 cannot come back: it is the newest already\n")
    assert silent.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: shop\ncurrency: [CNY\n", ":3:1: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("id: shop\n\tcurrency: CNY\n", ":2:1: not YAML: found character '\\t' that cannot start any token"),
        ("id: shop\nid: shop\n", ":2:1: key 'id' is given twice"),
        ("id: &x shop\n", ":1:5: aliases and anchors are not allowed"),
        (PROGRAMME.replace("expiry", "expiri"), ":4:1: expiri: unknown key 'expiri', did you mean 'expiry'?"),
        (
            PROGRAMME.replace("groups:", "group:"),
            ":8:16: channels.purchase.earn.points.group: unknown key 'group', did you mean 'groups'?",
        ),
        (PROGRAMME.replace("purchase", "purchas"), ":6:3: channels.purchas: channel 'purchas' is not installed"),
        (PROGRAMME.replace("{id: silver, all", "{id: silver, al"), "unknown key 'al', did you mean 'all'?"),
    ],
)
def test_what_is_broken_is_told_with_its_line_and_column_and_what_is_nearest(
    type_: Type, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")

    checked = type_("sqlite://x.sqlite3", "programme", "check", file)

    assert checked.exit_code == 1
    assert said in checked.stderr


def test_a_file_is_warned_of_and_one_without_a_flaw_is_not(type_: Type, migrated: str) -> None:
    warned = type_(migrated, "programme", "lint", PROGRAMMES / "course-platform.yaml")
    flawless = type_(migrated, "programme", "lint", PROGRAMMES / "gym.yaml")

    assert (warned.exit_code, warned.stderr) == (1, "1 warning\n")
    assert "course-platform.yaml:15:7: channels.purchase.earn.points: At 1 points for each" in warned.stdout
    assert (flawless.exit_code, flawless.stdout, flawless.stderr) == (0, "", "0 warnings\n")


DEAR: Final = PROGRAMME.replace("points: order.amount", "points: 5 * order.amount")


def test_warnings_are_told_with_their_place_and_make_the_status_1(type_: Type, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "dear.yaml"
    file.write_text(DEAR + 'point_value: "0.01"\n', encoding="utf-8")

    english = type_(empty, "programme", "lint", file)
    chinese = type_(empty, "programme", "lint", "--locale", "zh", file)

    (line,) = english.stdout.splitlines()
    assert re.fullmatch(rf"{re.escape(str(file))}:\d+:\d+: channels\.purchase\.earn\.points: At 5 points .*", line)
    assert (english.exit_code, english.stderr) == (1, "1 warning\n")
    assert "超过上限 3%" in chinese.stdout
    assert chinese.exit_code == 1


def test_a_programme_without_warnings_makes_the_status_0(type_: Type, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(PROGRAMME, encoding="utf-8")

    looked_at = type_(empty, "programme", "lint", file)

    assert (looked_at.exit_code, looked_at.stdout, looked_at.stderr) == (0, "", "0 warnings\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id: [\n", ":2:1: not YAML: "),
        (b"id: \xff\n", ": it is not UTF-8: invalid start byte at byte 4"),
        (PROGRAMME.replace("timezone:", "timezon:").encode(), "unknown key 'timezon', did you mean 'timezone'?"),
    ],
)
@pytest.mark.parametrize("command", ["lint", "diff"])
def test_a_file_that_is_no_programme_is_told_of_with_its_place(
    type_: Type, empty: str, tmp_path: Path, command: str, content: bytes, says: str
) -> None:
    file, right = tmp_path / "broken.yaml", tmp_path / "right.yaml"
    file.write_bytes(content)
    right.write_text(PROGRAMME, encoding="utf-8")

    refused = type_(empty, "programme", command, *((file,) if command == "lint" else (right, file)))

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(str(file))
    assert says in refused.stderr


def test_what_changes_between_versions_and_files_is_said_by_topic(type_: Type, versions: str, tmp_path: Path) -> None:
    (tmp_path / "dear.yaml").write_text(DEAR, encoding="utf-8")

    between = type_(versions, "programme", "diff", "1", "2")
    chinese = type_(versions, "programme", "diff", "--locale", "zh", "1", "2")
    with_file = type_(versions, "programme", "diff", "1", tmp_path / "dear.yaml")
    same = type_(versions, "programme", "diff", "1", "1")

    topic, sentence = between.stdout.splitlines()
    assert not topic.startswith(" ")
    assert ("9 months" in sentence, "12 months" in sentence, sentence[:2]) == (True, True, "  ")
    assert "9个月" in chinese.stdout.replace(" ", "")
    assert "5 points" in with_file.stdout
    assert same.stdout == "nothing is otherwise\n"
    assert [one.exit_code for one in (between, chinese, with_file, same)] == [0, 0, 0, 0]


@pytest.mark.parametrize("named", ["9", "nothing.yaml", "0", "²"])
def test_what_is_neither_a_file_nor_a_version_is_not_compared(type_: Type, versions: str, named: str) -> None:
    refused = type_(versions, "programme", "diff", "1", named)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert named in refused.stderr
    assert "Traceback" not in refused.stderr
