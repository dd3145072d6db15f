import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from core.books import members
from core.books.members import BUCKETS, bucket_of, new_id


@pytest.mark.parametrize(
    ("member_id", "bucket"),
    [
        ("", 510),
        ("0190163d-8694-739b-aea5-966c26f8ad91", 229),
        ("0190163d-8694-739b-aea5-966c26f8ad92", 435),
        ("Zoë", 156),
    ],
)
def test_bucket_of_a_member_is_the_same_for_ever(member_id: str, bucket: int) -> None:
    """The numbers are stored in every row: they may never change."""
    assert bucket_of(member_id) == bucket


def test_members_are_spread_over_all_buckets() -> None:
    buckets = [bucket_of(new_id()) for _ in range(20 * BUCKETS)]

    assert set(buckets) == set(range(BUCKETS))
    assert max(buckets.count(bucket) for bucket in range(0, BUCKETS, 100)) < 60


def test_new_ids_are_version_7_uuids_of_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_last_v7", 0)
    monkeypatch.setattr(time, "time_ns", lambda: 1_900_000_000_123_456_789)

    made = [UUID(new_id()) for _ in range(100)]

    assert {(made_id.version, made_id.variant) for made_id in made} == {(7, "specified in RFC 4122")}
    assert {made_id.int >> 80 for made_id in made} == {1_900_000_000_123}


def test_new_ids_grow_within_a_millisecond_and_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_last_v7", 0)
    instants = iter([1_900_000_000_000_000_000] * 10_000 + [1_899_999_000_000_000_000] * 10_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(instants))

    made = [new_id() for _ in range(20_000)]

    assert made == sorted(set(made))
    assert {(UUID(made_id).version, UUID(made_id).variant) for made_id in made} == {(7, "specified in RFC 4122")}


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [made_id for ids in pool.map(lambda _: [new_id() for _ in range(500)], range(8)) for made_id in ids]

    assert len(set(made)) == 4_000
