"""Reviews through the schema, with the numbers of the documents, on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.ids import global_id, read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, standing

PLUGINS: Final = only("review")
TOP: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nexpiry: {mode: per_lot, months: 12}\n"
# The mother and baby shop: 20 with a picture; 5 without, and 30 more for a particularly good one.
GROUPS: Final = """[
  {id: base, add: best, rules: [
    {id: text, when: "review.length >= 10", points: 5},
    {id: picture, when: "review.pictures > 0", points: 20}]},
  {id: quality, add: sum, rules: [{id: good, when: "review.quality", points: 30}]}]"""

FIELDS: Final = """
    transaction { kind entries { unit amount } }
    review { id reference status isQuality reason awards { unit points } }
    errors {
      code
      ... on ReviewsNotOffered { at }
      ... on ReviewNotFound { review }
      ... on ReviewAlreadySubmitted { reference }
      ... on TooManyReviews { limit resetsAt }
      ... on ReviewWithdrawn { reference }
      ... on ReviewNotPending { reference status }
      ... on InvalidValue { field reason }
      ... on InvalidId { expected }
      ... on MemberNotActive { status }
      ... on MemberNotFound { member }
    }
"""


def programme(more: str = "", *, top: str = TOP, caps: str = "{}") -> str:
    return (
        f"{top}channels:\n  review:\n    {more}\n    earn:\n      points:\n"
        f"        caps: {caps}\n        groups: {GROUPS}\n"
    )


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with open_shop(fresh_database, programme("a_day: 3"), plugins=PLUGINS) as shop:
        yield shop


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    """A database on SQLite, for what is not about storage."""
    return sqlite_folder.migrated(apps)


def shop_with(url: str, document: str) -> AbstractAsyncContextManager[Shop]:
    return open_shop(url, document, plugins=PLUGINS)


async def act(shop: Shop, mutation: str, variables: dict[str, Any], **who: Any) -> dict[str, Any]:
    """The answer to a mutation, by its name."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {FIELDS} }} }}"
    answer: dict[str, Any] = (await shop.ask(query, {"input": variables}, **who))[mutation]
    return answer


async def submit(
    shop: Shop, member: str, reference: str = "R1", *, key: str = "", rating: int = 5, **said: Any
) -> dict[str, Any]:
    """Submit a review, of order A1 unless another is named."""
    content = {"rating": rating, "length": said.pop("length", 40), "pictures": said.pop("pictures", 0)}
    about = {"order": "A1", **said}
    return await act(
        shop,
        "submitReview",
        {
            "member": {"id": member},
            "reference": reference,
            "content": content,
            "idempotencyKey": key or f"review:{reference}",
            **about,
        },
    )


async def submitted(shop: Shop, member: str, reference: str = "R1", **said: Any) -> str:
    """The id of a review that must not be refused."""
    answer = await submit(shop, member, reference, **said)
    assert answer["errors"] == []
    review_id: str = answer["review"]["id"]
    return review_id


async def edit(shop: Shop, review: str, key: str = "edit", **content: Any) -> dict[str, Any]:
    content = {"rating": 5, "length": 40, **content}
    return await act(shop, "editReview", {"review": review, "content": content, "idempotencyKey": key})


async def withdraw(shop: Shop, review: str, key: str = "withdraw", **who: Any) -> dict[str, Any]:
    return await act(shop, "withdrawReview", {"review": review, "idempotencyKey": key}, **who)


async def approve(shop: Shop, review: str, key: str = "approve", **said: Any) -> dict[str, Any]:
    return await act(
        shop, "approveReview", {"review": review, "idempotencyKey": f"{key}:{review}", **said}, role=Role.OPERATOR
    )


async def reject(shop: Shop, review: str, key: str = "reject", reason: str = "no pictures of it") -> dict[str, Any]:
    return await act(
        shop, "rejectReview", {"review": review, "reason": reason, "idempotencyKey": key}, role=Role.OPERATOR
    )


async def queue(shop: Shop, status: str = "PENDING", first: int = 10, after: str | None = None) -> Any:
    data = await shop.ask(
        "query ($status: ReviewStatus!, $first: Int!, $after: String) {"
        " reviews(status: $status, first: $first, after: $after) {"
        " nodes { reference member { externalId } } pageInfo { hasNextPage endCursor } } }",
        {"status": status, "first": first, "after": after},
        role=Role.OPERATOR,
    )
    return data["reviews"]


# -- what a review brings -----------------------------------------------------------------------------


async def test_a_review_brings_nothing_until_it_is_approved(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    answer = await submit(shop, ann, pictures=1)

    review = answer["review"].pop("id")
    assert answer == {
        "transaction": {"kind": "submit", "entries": []},
        "review": {"reference": "R1", "status": "PENDING", "isQuality": False, "reason": None, "awards": []},
        "errors": [],
    }
    assert await standing(shop, ann) == (0, 2)

    approved = await approve(shop, review)

    assert approved == {
        "transaction": {"kind": "approve", "entries": [{"unit": "points", "amount": 20}]},
        "review": {
            "id": review,
            "reference": "R1",
            "status": "APPROVED",
            "isQuality": False,
            "reason": None,
            "awards": [{"unit": "points", "points": 20}],
        },
        "errors": [],
    }
    assert await standing(shop, ann) == (20, 3)


@pytest.mark.parametrize(
    ("pictures", "length", "quality", "points"),
    [(1, 40, False, 20), (0, 40, False, 5), (0, 9, False, 0), (3, 0, False, 20), (1, 200, True, 50)],
)
async def test_a_picture_and_quality_bring_more(
    quick_url: str, pictures: int, length: int, quality: bool, points: int
) -> None:
    async with shop_with(quick_url, programme()) as shop:
        ann = await shop.enrol("ann")
        review = await submitted(shop, ann, pictures=pictures, length=length)

        await approve(shop, review, quality=quality)

        assert await standing(shop, ann) == (points, 3)


async def test_a_rejected_review_brings_nothing_and_says_why(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann, pictures=1)

    answer = await reject(shop, review)

    assert answer["review"] == {
        "id": review,
        "reference": "R1",
        "status": "REJECTED",
        "isQuality": False,
        "reason": "no pictures of it",
        "awards": [],
    }
    assert (await standing(shop, ann))[0] == 0


async def test_the_version_in_force_when_it_was_submitted_judges(quick_url: str) -> None:
    valid = '{from: "2026-06-01T00:00:00+08:00", to: "2026-06-02T00:00:00+08:00"}'
    campaign = (
        f"{TOP}channels:\n  review:\n    earn:\n      points:\n        groups: "
        f"[{{id: base, add: sum, rules: [{{id: june, points: 20, valid: {valid}}}]}}]\n"
    )
    async with shop_with(quick_url, campaign) as shop:
        ann = await shop.enrol("ann")
        in_time = await submitted(shop, ann, "R1")
        shop.clock.advance(timedelta(days=3))
        late = await submitted(shop, ann, "R2", order="A2")

        await approve(shop, in_time)
        await approve(shop, late)

        assert (await standing(shop, ann))[0] == 20


async def test_caps_bound_what_reviews_bring_in_a_day(quick_url: str) -> None:
    async with shop_with(quick_url, programme(caps="{day: 30}")) as shop:
        ann = await shop.enrol("ann")
        reviews = [await submitted(shop, ann, f"R{n}", order=f"A{n}", pictures=1) for n in range(3)]

        brought = [(await approve(shop, review))["review"]["awards"] for review in reviews]

    assert brought == [[{"unit": "points", "points": 20}], [{"unit": "points", "points": 10}], []]


# -- once ---------------------------------------------------------------------------------------------


async def test_a_review_that_is_sent_twice_is_one(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await submitted(shop, ann)
    before = await standing(shop, ann)

    again = await submit(shop, ann, key="another key")

    assert again == {
        "transaction": None,
        "review": None,
        "errors": [{"code": "REVIEW_ALREADY_SUBMITTED", "reference": "R1"}],
    }
    assert await standing(shop, ann) == before


async def test_two_reviews_of_one_order_earn_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    first, second = await submitted(shop, ann, "R1", pictures=1), await submitted(shop, ann, "R2", pictures=1)

    await approve(shop, first)
    answer = await approve(shop, second)

    assert answer["transaction"]["entries"] == []
    assert (await standing(shop, ann))[0] == 20


async def test_reviews_of_one_order_that_are_approved_at_once_earn_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    waiting = [await submitted(shop, ann, f"R{number}", pictures=1) for number in range(3)]

    answers = await asyncio.gather(*(approve(shop, review) for review in waiting))

    assert [answer["errors"] for answer in answers] == [[], [], []]
    assert (await standing(shop, ann))[0] == 20


async def test_deleted_and_posted_again_it_has_earned_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    first = await submitted(shop, ann, "R1", pictures=1)
    await approve(shop, first)

    deleted = await withdraw(shop, first)
    after_deletion = await standing(shop, ann)
    shop.clock.advance(timedelta(days=90))
    await approve(shop, await submitted(shop, ann, "R2", pictures=1))

    assert deleted["transaction"]["entries"] == [{"unit": "points", "amount": -20}]
    assert deleted["review"]["status"] == "WITHDRAWN"
    assert after_deletion[0] == 0
    assert (await standing(shop, ann))[0] == 20
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { points { expiring { points at } } } } }", {"id": ann}
    )
    # A year from the first approval: posting anew gives points no longer life.
    assert data["node"]["points"]["expiring"] == {"points": 20, "at": "2027-05-31T16:00:00Z"}


async def test_what_cannot_be_collected_is_not_earned_again(quick_url: str) -> None:
    document = programme(top=f"{TOP}claw_back: lot_only\n")
    async with shop_with(quick_url, document) as shop:
        ann = await shop.enrol("ann")
        first = await submitted(shop, ann, "R1", pictures=1)
        await approve(shop, first)
        await shop.ask(
            "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "points": 15, "idempotencyKey": "spend"}},
        )

        await withdraw(shop, first)
        await approve(shop, await submitted(shop, ann, "R2", pictures=1))

        # 15 were spent and 5 came back, so 5 is what can be earned again.
        assert (await standing(shop, ann))[0] == 5


async def test_an_edit_waits_again_and_earns_only_what_it_is_worth_more(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann)
    await approve(shop, review)

    edited = await edit(shop, review, pictures=2)
    while_waiting = await standing(shop, ann)
    approved = await approve(shop, review, "again")

    assert edited["review"]["status"] == "PENDING"
    assert while_waiting[0] == 5
    assert approved["transaction"]["entries"] == [{"unit": "points", "amount": 15}]
    assert approved["review"]["awards"] == [{"unit": "points", "points": 20}]


async def test_an_edit_that_takes_the_picture_out_gives_its_points_back(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann, pictures=1)
    await approve(shop, review)

    await edit(shop, review, pictures=0)
    answer = await approve(shop, review, "again")

    assert answer["transaction"]["entries"] == [{"unit": "points", "amount": -15}]
    assert answer["review"]["awards"] == [{"unit": "points", "points": 5}]


async def test_an_unchanged_edit_under_a_full_cap_keeps_its_points(quick_url: str) -> None:
    async with shop_with(quick_url, programme(caps="{day: 20}")) as shop:
        ann = await shop.enrol("ann")
        review = await submitted(shop, ann, pictures=1)
        await approve(shop, review)

        await edit(shop, review, pictures=1)
        await approve(shop, review, "again")

        assert (await standing(shop, ann))[0] == 20


async def test_an_approved_review_that_is_removed_gives_its_points_back(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann, pictures=1)
    await approve(shop, review)

    answer = await reject(shop, review)

    assert answer["transaction"] == {"kind": "reject", "entries": [{"unit": "points", "amount": -20}]}
    assert (await standing(shop, ann))[0] == 0


@pytest.mark.parametrize(
    ("once_per", "points"), [("[order]", 20), ("[product]", 40), ("[order, product]", 60)], ids=str
)
async def test_what_earns_once_is_as_the_programme_says(quick_url: str, once_per: str, points: int) -> None:
    async with shop_with(quick_url, programme(f"once_per: {once_per}")) as shop:
        ann = await shop.enrol("ann")
        for number, (order, product) in enumerate([("A1", "milk"), ("A1", "soap"), ("A1", "milk")]):
            await approve(shop, await submitted(shop, ann, f"R{number}", order=order, product=product, pictures=1))
        if once_per == "[order, product]":
            await approve(shop, await submitted(shop, ann, "R9", order="A2", product="milk", pictures=1))

        assert (await standing(shop, ann))[0] == points


# -- the moderators' queue ----------------------------------------------------------------------------


async def test_moderators_see_what_waits_the_oldest_first_page_by_page(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await submitted(shop, ann, "R1")
    decided = await submitted(shop, bob, "R2")
    await submitted(shop, bob, "R3", order="A3")
    await submitted(shop, ann, "R4", order="A4")
    await approve(shop, decided)

    page = await queue(shop, first=2)
    rest = await queue(shop, first=2, after=page["pageInfo"]["endCursor"])
    approved = await queue(shop, "APPROVED")

    assert [node["reference"] for node in page["nodes"]] == ["R1", "R3"]
    assert page["pageInfo"]["hasNextPage"]
    assert rest["nodes"] == [{"reference": "R4", "member": {"externalId": "ann"}}]
    assert not rest["pageInfo"]["hasNextPage"]
    assert [node["reference"] for node in approved["nodes"]] == ["R2"]


async def test_a_cursor_of_one_queue_is_none_of_another(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await submitted(shop, ann)
    cursor = (await queue(shop))["pageInfo"]["endCursor"]

    answer = await shop.post(
        "query ($after: String!) { reviews(status: APPROVED, after: $after) { nodes { id } } }",
        {"after": cursor},
        role=Role.OPERATOR,
    )

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_members_see_their_own_reviews_and_never_the_queue(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    review = await submitted(shop, ann, "R1")
    await submitted(shop, ann, "R2")
    own = "query ($id: ID!) { node(id: $id) { ... on Member { reviews { nodes { reference status } } } } }"

    by_ann = await shop.ask(own, {"id": ann}, member=ann)
    refused = await shop.post("{ reviews { nodes { id } } }", member=ann)
    by_bob = await shop.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": review}, member=bob)
    as_node = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Review { rating transaction { kind } } } }",
        {"id": review},
        member=ann,
    )

    assert by_ann["node"]["reviews"]["nodes"] == [
        {"reference": "R2", "status": "PENDING"},
        {"reference": "R1", "status": "PENDING"},
    ]
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_bob == {"node": None}
    assert as_node == {"node": {"rating": 5, "transaction": {"kind": "submit"}}}


# -- wrong input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"length": -1}, "length"),
        ({"length": 100_001}, "length"),
        ({"pictures": -1}, "pictures"),
        ({"pictures": 101}, "pictures"),
        ({"reference": ""}, "reference"),
        ({"reference": " R1"}, "reference"),
        ({"reference": "x" * 129}, "reference"),
        ({"order": None}, "order"),
        ({"order": ""}, "order"),
        ({"product": "a\nb"}, "product"),
    ],
    ids=str,
)
async def test_a_review_that_cannot_be_meant_is_refused(quick_url: str, said: dict[str, Any], field: str) -> None:
    async with shop_with(quick_url, programme()) as shop:
        ann = await shop.enrol("ann")

        answer = await submit(shop, ann, **{"reference": "R1", "key": "a key", **said})

        assert await standing(shop, ann) == (0, 1)
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [("INVALID_VALUE", field)]


async def test_no_more_reviews_are_submitted_than_a_day_allows(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(3):
        await submitted(shop, ann, f"R{number}")
    before = await standing(shop, ann)

    refused = await submit(shop, ann, "R3")
    shop.clock.advance(timedelta(days=1))
    next_day = await submit(shop, ann, "R3", key="next day")

    assert refused["errors"] == [{"code": "TOO_MANY_REVIEWS", "limit": 3, "resetsAt": "2026-06-01T16:00:00Z"}]
    assert before == (0, 4)
    assert next_day["errors"] == []


async def test_what_was_decided_is_not_decided_again(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann, pictures=1)
    await approve(shop, review)
    before = await standing(shop, ann)

    approved_again = await approve(shop, review, "second")
    await withdraw(shop, review)
    after_withdrawal = [
        (await approve(shop, review, "third"))["errors"],
        (await reject(shop, review))["errors"],
        (await withdraw(shop, review, "second"))["errors"],
        (await edit(shop, review))["errors"],
    ]

    assert approved_again["errors"] == [{"code": "REVIEW_NOT_PENDING", "reference": "R1", "status": "approved"}]
    assert before == (20, 3)
    assert after_withdrawal == [
        [{"code": "REVIEW_NOT_PENDING", "reference": "R1", "status": "withdrawn"}],
        [{"code": "REVIEW_NOT_PENDING", "reference": "R1", "status": "withdrawn"}],
        [{"code": "REVIEW_WITHDRAWN", "reference": "R1"}],
        [{"code": "REVIEW_WITHDRAWN", "reference": "R1"}],
    ]
    assert await standing(shop, ann) == (0, 4)


async def test_a_rejection_needs_a_reason(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann)

    answer = await reject(shop, review, reason=" ")

    assert [error["field"] for error in answer["errors"]] == ["reason"]


async def test_a_frozen_member_submits_nothing_and_is_paid_nothing(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann, pictures=1)
    await freeze(shop, ann)
    before = await standing(shop, ann)

    refused = await submit(shop, ann, "R2")
    unpaid = await approve(shop, review)

    assert refused["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert unpaid["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert await standing(shop, ann) == before
    assert [node["reference"] for node in (await queue(shop))["nodes"]] == ["R1"]


async def test_somebody_elses_review_is_none_of_mine(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    review = await submitted(shop, ann)

    by_bob = await withdraw(shop, review, member=bob)
    by_ann = await withdraw(shop, review, member=ann)

    assert by_bob["errors"] == [{"code": "REVIEW_NOT_FOUND", "review": review}]
    assert by_ann["errors"] == []


async def test_a_member_does_not_approve_their_own_review(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann)

    answer = await shop.post(
        "mutation ($input: ApproveReviewInput!) { approveReview(input: $input) { errors { code } } }",
        {"input": {"review": review, "idempotencyKey": "mine"}},
        member=ann,
    )

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_reviews_that_there_are_not_are_refused(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    review = await submitted(shop, ann)
    unknown = global_id("Review", "0197-nobody", "0197-nothing")

    of_nobody = await approve(shop, unknown)
    malformed = await approve(shop, "no id")
    of_another_kind = await approve(shop, ann)
    missing = await approve(shop, global_id("Review", read_id(review)[1], "0197-nothing"))

    assert of_nobody["errors"] == [{"code": "MEMBER_NOT_FOUND", "member": "0197-nobody"}]
    assert malformed["errors"] == of_another_kind["errors"] == [{"code": "INVALID_ID", "expected": "Review"}]
    assert missing["errors"] == [{"code": "REVIEW_NOT_FOUND", "review": "0197-nothing"}]


async def test_a_programme_without_the_section_rewards_no_reviews(quick_url: str) -> None:
    async with shop_with(quick_url, TOP) as shop:
        ann = await shop.enrol("ann")

        answer = await submit(shop, ann)

    assert answer["errors"] == [{"code": "REVIEWS_NOT_OFFERED", "at": "2026-06-01T12:00:00Z"}]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "earn: is missing"),
        (f"{{earn: {{points: {{groups: {GROUPS}}}}}, once_per: []}}", "once_per"),
        (f"{{earn: {{points: {{groups: {GROUPS}}}}}, once_per: [shop]}}", "once_per"),
        (f"{{earn: {{points: {{groups: {GROUPS}}}}}, a_day: 0}}", "a_day"),
        (f"{{earn: {{stars: {{groups: {GROUPS}}}}}}}", "unknown unit 'stars'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(section: str, problem: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(f"{TOP}channels:\n  review: {section}\n", PLUGINS.settings)

    assert problem in str(refused.value)
