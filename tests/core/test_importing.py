import gzip
import json
import re
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, Member, new_id
from core.channels.corrections import AdjustPoints
from core.engine.batch import Rules
from core.engine.committer import Committer
from core.engine.operations import Newcomer, Operation
from core.errors import InvalidAmount, LaurelError
from core.files.importing import (
    Columns,
    FileUnreadable,
    MappingInvalid,
    Reject,
    Row,
    examine,
    import_rows,
    read,
)
from core.models import ProgrammeVersionRow
from core.oversight.verify import verify
from core.people.membership import EnrolMember
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.questions import Rows
from core.time.clock import StoppedClock

PROGRAMME = "{id: shop, currency: CNY, timezone: Asia/Shanghai}"
NOW = datetime(2026, 7, 2, 4, tzinfo=UTC)
COLUMNS = Columns(("reference", "member", "points", "note"), frozenset({"reference", "member"}))


class Gift(AdjustPoints):
    """Enrols whom it does not know."""

    def newcomer(self) -> Newcomer:
        return Newcomer()


def gift(row: Row) -> Operation:
    if not str(row["points"]).lstrip("-").isdigit():
        raise InvalidAmount(value=str(row["points"]), reason="it is no whole number")
    return Gift(
        member=ByExternalId(row["member"]),
        idempotency_key=f"gift:{row['reference']}",
        actor="test",
        points=int(row["points"]),
        reason=row.get("note", "a gift"),
    )


@pytest.fixture
async def store(connected: TortoiseContext) -> Store:
    await ProgrammeVersionRow.create(
        number=1, document=PROGRAMME, digest="", author="test", reason="test", starts_at=NOW, published_at=NOW
    )
    return Store()


@pytest.fixture
async def committer(store: Store) -> AsyncIterator[Committer]:
    programmes = Programmes(lambda document: load_programme(document, {}))
    async with Committer(store, Rules(programmes=programmes, clock=StoppedClock(NOW), new_id=new_id)) as committer:
        yield committer


def write(folder: Path, content: str | bytes, name: str = "orders") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# -- reading ------------------------------------------------------------------------------------------

CSV = 'reference,member,points\n1,ann,100\n2,"bob, jr",\n'
JSON = (
    '{"reference": "1", "member": "ann", "points": "100"}\n\n{"reference": "2", "member": "bob, jr", "points": null}\n'
)


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.encode("utf-8-sig"),
        gzip.compress(CSV.encode()),
        JSON.encode(),
        JSON.encode("utf-8-sig"),
        gzip.compress(JSON.encode()),
    ],
    ids=["csv", "windows", "mark", "csv.gz", "json", "json with mark", "json.gz"],
)
def test_what_a_file_is_is_seen_from_its_content(tmp_path: Path, content: bytes) -> None:
    file = examine(write(tmp_path, content), COLUMNS)

    rows = [line.row for line in read(file, COLUMNS)]

    assert rows == [{"reference": "1", "member": "ann", "points": "100"}, {"reference": "2", "member": "bob, jr"}]
    assert file.lines == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n  \n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"reference,member\n1,ann\n2,ren\xe9\n", r"line 3 is not UTF-8 \(byte 0xe9\)"),
        (CSV.encode("utf-16"), "line 1 is not UTF-8"),
        (b"PK\x03\x04\0\0\0\0", "it is no text"),
        (gzip.compress(CSV.encode(), mtime=0)[:-9], "its compression is broken"),
        (
            gzip.compress(CSV.encode(), mtime=0)[:20] + b"rubbish" + gzip.compress(CSV.encode(), mtime=0)[27:],
            "its compression is broken",
        ),
        (
            b"order_id,customer_id\n1,ann\n",
            "name its columns in a mapping file, as its header has 'order_id', 'customer_id'",
        ),
        (b"reference,membr\n1,ann\n", "'membr', did you mean 'member'"),
        (b"reference,points\n1,5\n", "its header lacks member; it has reference, points"),
        (b"reference,member,member\n1,ann,bob\n", "its header names member twice"),
        (b'reference,member\n1,"ann\n2,bob\n', "line 2 is no CSV"),
        (b'reference,member\n1,ann\n2,"bob" jr\n', "line 3 is no CSV"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_before_its_first_row(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(FileUnreadable, match=reason):
        examine(write(tmp_path, content), COLUMNS)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        examine(tmp_path / "orders.csv", COLUMNS)
    with pytest.raises(FileUnreadable, match="directory"):
        examine(tmp_path, COLUMNS)


@pytest.mark.parametrize(
    ("mapping", "content"),
    [
        ("{reference: order_id, member: who, note: {value: spring}}", "order_id,who,rest\n1,ann,x\n"),
        ("{reference: order_id, member: who, note: {value: spring}}", '{"order_id": "1", "who": "ann", "rest": 5}\n'),
    ],
)
def test_a_mapping_says_which_of_their_columns_is_which_of_ours(tmp_path: Path, mapping: str, content: str) -> None:
    columns = Columns.from_yaml(mapping, COLUMNS.known, COLUMNS.required)

    (line,) = read(examine(write(tmp_path, content), columns), columns)

    assert line.row == {"reference": "1", "member": "ann", "note": "spring"}


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ("reference: [", "no YAML"),
        ("- reference", "a list of lines"),
        ("{reference: a, member: b, pionts: c}", "knows no 'pionts', did you mean 'points'"),
        ("{reference: a}", "lacks member"),
        ("{reference: 5, member: b}", "'reference' is mapped to no column name"),
        ("{reference: {value: 5}, member: b}", "'reference' is mapped to no column name"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(mapping: str, reason: str) -> None:
    with pytest.raises(MappingInvalid, match=reason):
        Columns.from_yaml(mapping, COLUMNS.known, COLUMNS.required)


def test_a_header_without_a_column_of_the_mapping_is_refused(tmp_path: Path) -> None:
    columns = Columns.from_yaml("{reference: order_id, member: who}", COLUMNS.known, COLUMNS.required)

    with pytest.raises(FileUnreadable, match="its header lacks who; it has order_id, customer"):
        examine(write(tmp_path, "order_id,customer\n1,ann\n"), columns)


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        ("reference,member\n1\n2,ann\n3,bob,7\n4,\n", {2: "1 cells under a header of 2", 4: "3 cells", 5: "no member"}),
        ('{"reference": "1"}\nnonsense\n[]\n', {1: "it has no member", 2: "not JSON", 3: "not a JSON object"}),
        ('{"reference": "1", "member": "a", "pionts": 1}\n', {1: "it has 'pionts', did you mean 'points'"}),
        ('{"reference": "1", "member": NaN}\n' + "{" * 5000, {1: "NaN is no number", 2: "not JSON"}),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_with_its_line_and_reason(
    tmp_path: Path, content: str, reasons: dict[int, str]
) -> None:
    found = {line.number: line.reason for line in read(examine(write(tmp_path, content), COLUMNS), COLUMNS)}

    assert all(re.search(reason, found[number] or "") for number, reason in reasons.items()), found


def test_numbers_of_json_stay_exact(tmp_path: Path) -> None:
    path = write(tmp_path, '{"reference": "1", "member": "ann", "points": 0.1, "note": 10}\n')

    (line,) = read(examine(path, COLUMNS), COLUMNS)

    assert line.row == {"reference": "1", "member": "ann", "points": "0.1", "note": 10}


def test_reading_takes_no_more_memory_for_a_longer_file(tmp_path: Path) -> None:
    path = write(tmp_path, "reference,member,points\n" + "".join(f"{n},member{n % 997},100\n" for n in range(100_000)))

    tracemalloc.start()
    file = examine(path, COLUMNS)
    rows = sum(1 for _ in read(file, COLUMNS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == 100_000
    assert peak < 4 * 2**20


# -- importing ----------------------------------------------------------------------------------------


async def test_what_can_go_in_goes_in_and_the_rest_is_told_with_its_reason(
    store: Store, committer: Committer, tmp_path: Path
) -> None:
    content = "reference,member,points\n1,ann,100\n2,ann,-30\n3,bob,x\n4,ann,-71\n5,ann\n6,bob,7\n1,ann,100\n1,ann,5\n"
    file = examine(write(tmp_path, content), COLUMNS)
    rejects: list[Reject] = []

    figures = await import_rows(read(file, COLUMNS), gift, committer, reject=rejects.append)

    assert [(reject.line.number, reject.refused, reject.reason) for reject in rejects] == [
        (4, False, "x is not a valid amount: it is no whole number"),
        (5, True, "71 points needed, 70 available"),
        (6, False, "2 cells under a header of 3"),
        (9, True, "idempotency key gift:1 was used for another request"),
    ]
    assert (figures.imported, figures.replayed, figures.refused, figures.rejected) == (3, 1, 2, 2)
    assert await verify(store.reader()) == []


async def test_a_second_run_imports_nothing_twice(store: Store, committer: Committer, tmp_path: Path) -> None:
    content = "reference,member,points\n" + "".join(f"{n},member{n % 97},{n}\n" for n in range(1, 1501))
    file = examine(write(tmp_path, content), COLUMNS)
    first = await import_rows(read(file, COLUMNS), gift, committer, reject=unexpected)

    second = await import_rows(read(file, COLUMNS), gift, committer, reject=unexpected)

    assert (first.imported, second.imported, second.replayed) == (1500, 0, 1500)
    ((points,),) = await store.reader().query("SELECT SUM(credited) FROM account")
    assert points == sum(range(1501))


async def test_the_rows_of_a_member_keep_their_order(store: Store, committer: Committer, tmp_path: Path) -> None:
    rows = [{"reference": str(n), "member": "ann", "points": 1 if n % 2 else -1} for n in range(1, 1201)]
    path = write(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    advanced: list[int] = []

    figures = await import_rows(
        read(examine(path, COLUMNS), COLUMNS), gift, committer, reject=unexpected, advance=advanced.append
    )

    assert figures.imported == figures.rows == 1200
    assert advanced == [512, 1024, 1200]


async def test_a_defect_of_one_row_leaves_the_others_alone(store: Store, committer: Committer, tmp_path: Path) -> None:
    class Broken(EnrolMember):
        async def perform(self, work: object) -> dict[str, object]:
            raise ZeroDivisionError("our own fault")

    def make(row: Row) -> Operation:
        kind = Broken if row["points"] == "0" else EnrolMember
        return kind(member=ByExternalId(row["member"]), idempotency_key=row["reference"], actor="test")

    file = examine(write(tmp_path, "reference,member,points\n1,ann,0\n2,bob,1\n3,cid,2\n"), COLUMNS)
    rejects: list[Reject] = []

    figures = await import_rows(read(file, COLUMNS), make, committer, reject=rejects.append)

    assert [(reject.line.number, reject.reason) for reject in rejects] == [(2, "ZeroDivisionError: our own fault")]
    assert figures.imported == 2
    assert len(await Rows(Member, ("external_id",)).answer(store.reader(), [("ann",), ("bob",), ("cid",)])) == 2


async def test_what_fails_most_rows_ends_the_import(committer: Committer, tmp_path: Path) -> None:
    class Broken(EnrolMember):
        async def perform(self, work: object) -> dict[str, object]:
            raise ZeroDivisionError("the disk is full, say")

    def make(row: Row) -> Operation:
        return Broken(member=ByExternalId(row["member"]), idempotency_key=row["reference"], actor="test")

    file = examine(write(tmp_path, "reference,member\n1,ann\n2,bob\n"), COLUMNS)

    with pytest.raises(ZeroDivisionError):
        await import_rows(read(file, COLUMNS), make, committer, reject=unexpected)


def unexpected(reject: Reject) -> None:
    raise LaurelError(f"line {reject.line.number}: {reject.reason}")
