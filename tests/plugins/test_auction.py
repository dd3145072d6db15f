"""Auctions: the highest bid is set aside and wins, all others are given back, and what no auction takes."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from core.books.members import ByExternalId
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.auction.operations import CancelAuction
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing, told

PLUGINS: Final = only("auction")
ROOT: Final = Path(__file__).parents[2]
PROGRAMME: Final = """
id: mall
currency: CNY
timezone: Asia/Shanghai
channels:
  auction:
    settle_days: 2
    auctions:
      - id: guitar
        title: A signed guitar
        opens: "2026-06-01T08:00:00+08:00"
        closes: "2026-06-02T20:00:00+08:00"
        least_bid: 100
        least_raise: 10
      - {id: past, title: A vase, opens: "2026-05-01T00:00:00+08:00", closes: "2026-06-01T20:00:00+08:00"}
      - {id: future, title: A trip, opens: "2026-06-01T20:00:01+08:00", closes: "2026-07-01T00:00:00+08:00"}
      - id: golden
        title: A watch
        opens: "2026-05-01T00:00:00+08:00"
        closes: "2026-07-01T00:00:00+08:00"
        tiers: [gold]
tiers:
  ladder: [{id: regular}, {id: gold, all: [{fact: points_earned, at_least: 1000000}]}]
"""

BID: Final = """mutation ($input: PlaceBidInput!) { placeBid(input: $input) {
  bid { auction title points state }
  auction { state bids highest least mine { points state } }
  member { points { available held } }
  transaction { id kind channel }
  replayed
  errors {
    code
    ... on AuctionNotFound { auction }
    ... on AuctionNotYetOpen { opensAt }
    ... on AuctionClosed { closedAt }
    ... on AuctionOfOtherTier { tier tiers }
    ... on AuctionSettled { state }
    ... on BidTooLow { points needed }
    ... on InsufficientPoints { needed available }
    ... on InvalidAmount { value }
    ... on MemberNotActive { status }
  }
} }"""
END: Final = """(input: $input) {
  bid { points state }
  member { externalId points { available held } }
  transaction { id }
  replayed
  errors { code ... on AuctionStillOpen { closesAt } ... on AuctionSettled { state } ... on HoldNotOpen { state } }
} }"""
CLOSE: Final = f"mutation ($input: CloseAuctionInput!) {{ done: closeAuction{END}"
CANCEL: Final = f"mutation ($input: CancelAuctionInput!) {{ done: cancelAuction{END}"
AUCTIONS: Final = """query ($member: MemberByInput) { auctions(member: $member) {
  id state bids highest least mine { points state }
} }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def hall(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A mall with auctions, on SQLite."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


@pytest.fixture
async def every_hall(fresh_database: str) -> AsyncIterator[Shop]:
    """The same, on every database: where an auction stands is a row that members share."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def with_points(shop: Shop, name: str, points: int = 1_000) -> str:
    member = await shop.enrol(name)
    await shop.give(member, points, f"opening {name}")
    return member


async def bid(shop: Shop, member: str, points: int, auction: str = "guitar", key: str = "") -> dict[str, Any]:
    asked = {
        "member": {"id": member},
        "auction": auction,
        "points": points,
        "idempotencyKey": key or f"{auction} {points}",
    }
    payload: dict[str, Any] = (await shop.ask(BID, {"input": asked}))["placeBid"]
    return payload


async def end(shop: Shop, document: str, auction: str = "guitar", key: str = "") -> dict[str, Any]:
    key = key or ("close" if document is CLOSE else "cancel")
    data = await shop.ask(document, {"input": {"auction": auction, "idempotencyKey": key}}, role=Role.OPERATOR)
    payload: dict[str, Any] = data["done"]
    return payload


async def auctions(shop: Shop, member: str | None = None) -> dict[str, dict[str, Any]]:
    data = await shop.ask(AUCTIONS, {"member": {"id": member} if member else None})
    return {auction.pop("id"): auction for auction in data["auctions"]}


async def balance(shop: Shop, member: str) -> dict[str, int]:
    """What a member has when all that is to be told has been told."""
    await told(shop)
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { points { available held } } } }", {"id": member}
    )
    points: dict[str, int] = data["node"]["points"]
    return points


# -- bidding ------------------------------------------------------------------------------------------


async def test_a_bid_sets_its_points_aside(every_hall: Shop) -> None:
    ann = await with_points(every_hall, "ann")

    payload = await bid(every_hall, ann, 300)

    payload["transaction"].pop("id")
    assert payload == {
        "bid": {"auction": "guitar", "title": "A signed guitar", "points": 300, "state": "LEADING"},
        "auction": {
            "state": "OPEN", "bids": 1, "highest": 300, "least": 310, "mine": {"points": 300, "state": "LEADING"}
        },
        "member": {"points": {"available": 700, "held": 300}},
        "transaction": {"kind": "bid", "channel": "auction"},
        "replayed": False,
        "errors": [],
    }  # fmt: skip


async def test_who_is_outbid_has_their_points_back_once(every_hall: Shop) -> None:
    ann, bob = await with_points(every_hall, "ann"), await with_points(every_hall, "bob")
    await bid(every_hall, ann, 300)
    await bid(every_hall, bob, 310)

    assert await balance(every_hall, ann) == {"available": 1_000, "held": 0}
    assert await balance(every_hall, bob) == {"available": 690, "held": 310}
    assert (await standing(every_hall, ann))[1] == 4
    assert (await auctions(every_hall, ann))["guitar"]["mine"] == {"points": 300, "state": "OUTBID"}
    assert await verify(every_hall.laurel.store.reader()) == []


async def test_a_member_who_raises_their_own_bid_has_only_the_new_one_set_aside(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    await bid(hall, ann, 600)
    payload = await bid(hall, ann, 1_000)
    assert payload["errors"] == []
    assert payload["member"]["points"] == {"available": 0, "held": 1_000}
    assert await balance(hall, ann) == {"available": 0, "held": 1_000}


async def test_what_was_outbid_can_be_bid_again_before_anybody_has_freed_it(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    first, other, again = await asyncio.gather(bid(hall, ann, 900), bid(hall, bob, 910), bid(hall, ann, 1_000))
    assert (first["errors"], other["errors"], again["errors"]) == ([], [], [])
    assert await balance(hall, ann) == {"available": 0, "held": 1_000}
    assert await balance(hall, bob) == {"available": 1_000, "held": 0}


async def test_the_same_request_again_is_the_same_bid(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    first, again = await bid(hall, ann, 300), await bid(hall, ann, 300)
    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert again == first


async def test_of_many_bids_at_once_one_is_the_highest_and_only_that_is_set_aside(every_hall: Shop) -> None:
    members = [await with_points(every_hall, f"bidder {n}") for n in range(10)]

    payloads = await asyncio.gather(
        *(bid(every_hall, member, 500 + 10 * (at // 2), key="the race") for at, member in enumerate(members))
    )

    taken = [payload["bid"]["points"] for payload in payloads if not payload["errors"]]
    assert len(set(taken)) == len(taken)
    assert {payload["errors"][0]["code"] for payload in payloads if payload["errors"]} == {"BID_TOO_LOW"}
    guitar = (await auctions(every_hall))["guitar"]
    assert (guitar["highest"], guitar["bids"]) == (max(taken), len(taken)) == (540, len(taken))
    held = [(await balance(every_hall, member))["held"] for member in members]
    assert sorted(held) == [0] * 9 + [540]
    assert await verify(every_hall.laurel.store.reader()) == []


# -- the end ------------------------------------------------------------------------------------------


async def test_the_highest_bid_wins_and_is_spent_once(every_hall: Shop) -> None:
    ann, bob = await with_points(every_hall, "ann"), await with_points(every_hall, "bob")
    await bid(every_hall, ann, 300)
    await bid(every_hall, bob, 400)
    early = await end(every_hall, CLOSE, key="early")
    assert early["errors"] == [{"code": "AUCTION_STILL_OPEN", "closesAt": "2026-06-02T12:00:00Z"}]
    every_hall.clock.advance(timedelta(days=1))
    assert (await auctions(every_hall, bob))["guitar"]["state"] == "OVER"

    payload = await end(every_hall, CLOSE)

    assert payload["errors"] == []
    assert payload["bid"] == {"points": 400, "state": "WON"}
    assert payload["member"] == {"externalId": "bob", "points": {"available": 600, "held": 0}}
    assert (await end(every_hall, CLOSE))["replayed"] is True
    assert (await end(every_hall, CLOSE, key="2"))["errors"] == [{"code": "AUCTION_SETTLED", "state": "closed"}]
    assert (await end(every_hall, CANCEL))["errors"] == [{"code": "AUCTION_SETTLED", "state": "closed"}]
    assert await balance(every_hall, ann) == {"available": 1_000, "held": 0}
    assert (await auctions(every_hall, bob))["guitar"] == {
        "state": "CLOSED", "bids": 2, "highest": 400, "least": 410, "mine": {"points": 400, "state": "WON"}
    }  # fmt: skip

    await reverse(every_hall, payload["transaction"]["id"])
    assert await balance(every_hall, bob) == {"available": 1_000, "held": 0}
    assert (await auctions(every_hall, bob))["guitar"]["state"] == "CANCELLED"


async def test_a_winner_who_is_waited_for_too_long_is_not_charged_and_that_is_said(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    await bid(hall, ann, 300)
    hall.clock.advance(timedelta(days=3))
    assert (await end(hall, CLOSE))["errors"] == [{"code": "HOLD_NOT_OPEN", "state": "timed out"}]
    assert (await auctions(hall))["guitar"]["state"] == "OVER"
    assert (await end(hall, CANCEL))["errors"] == []
    assert await balance(hall, ann) == {"available": 1_000, "held": 0}


async def test_a_winner_who_is_frozen_is_not_charged_and_that_is_said(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    await bid(hall, ann, 300)
    await freeze(hall, ann)
    hall.clock.advance(timedelta(days=1))
    assert (await end(hall, CLOSE))["errors"] == [{"code": "MEMBER_NOT_ACTIVE"}]
    assert (await auctions(hall))["guitar"]["state"] == "OVER"


async def test_a_cancelled_auction_gives_all_back_and_takes_no_more(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    await bid(hall, ann, 300)
    await bid(hall, bob, 400)

    payload = await end(hall, CANCEL)

    assert (payload["errors"], payload["bid"]) == ([], {"points": 400, "state": "CANCELLED"})
    assert [await balance(hall, member) for member in (ann, bob)] == [{"available": 1_000, "held": 0}] * 2
    assert (await auctions(hall))["guitar"]["state"] == "CANCELLED"
    late = await bid(hall, ann, 500)
    assert late["errors"] == [{"code": "AUCTION_SETTLED", "state": "cancelled"}]


async def test_when_an_operator_takes_the_highest_bid_back_bids_begin_anew(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    first = await bid(hall, ann, 300)
    second = await bid(hall, bob, 900)
    await told(hall)
    await reverse(hall, second["transaction"]["id"])
    assert await balance(hall, bob) == {"available": 1_000, "held": 0}
    guitar = (await auctions(hall))["guitar"]
    assert (guitar["highest"], guitar["least"], guitar["state"]) == (None, 100, "OPEN")
    assert first["errors"] == (await bid(hall, ann, 100))["errors"] == []


@pytest.mark.parametrize(("auction", "code"), [("guitar", "AUCTION_WITHOUT_BIDS"), ("moon", "AUCTION_NOT_FOUND")])
@pytest.mark.parametrize("document", [CLOSE, CANCEL])
async def test_without_a_bid_there_is_nothing_to_end(hall: Shop, document: str, auction: str, code: str) -> None:
    assert (await end(hall, document, auction))["errors"] == [{"code": code}]


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auction", "points", "error"),
    [
        ("moon", 100, {"code": "AUCTION_NOT_FOUND", "auction": "moon"}),
        ("past", 100, {"code": "AUCTION_CLOSED", "closedAt": "2026-06-01T12:00:00Z"}),
        ("future", 100, {"code": "AUCTION_NOT_YET_OPEN", "opensAt": "2026-06-01T12:00:01Z"}),
        ("golden", 100, {"code": "AUCTION_OF_OTHER_TIER", "tier": "regular", "tiers": "gold"}),
        ("guitar", 99, {"code": "BID_TOO_LOW", "points": 99, "needed": 100}),
        ("guitar", 0, {"code": "INVALID_AMOUNT", "value": "0"}),
        ("guitar", -100, {"code": "INVALID_AMOUNT", "value": "-100"}),
        ("guitar", 1_001, {"code": "INSUFFICIENT_POINTS", "needed": 1_001, "available": 1_000}),
        ("guitar", 2**53 - 1, {"code": "INSUFFICIENT_POINTS", "needed": 2**53 - 1, "available": 1_000}),
    ],
)
async def test_a_bid_that_an_auction_does_not_take_sets_nothing_aside(
    hall: Shop, auction: str, points: int, error: dict[str, Any]
) -> None:
    ann = await with_points(hall, "ann")
    payload = await bid(hall, ann, points, auction)
    assert (payload["bid"], payload["auction"], payload["transaction"]) == (None, None, None)
    assert payload["errors"] == [error]
    assert await standing(hall, ann) == (1_000, 2)
    assert {each["bids"] for each in (await auctions(hall)).values()} == {0}


async def test_a_bid_at_the_instant_of_the_close_comes_too_late(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    hall.clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert (await bid(hall, ann, 100))["errors"] == []
    hall.clock.advance(timedelta(microseconds=1))
    late = await bid(hall, ann, 110)
    assert late["errors"] == [{"code": "AUCTION_CLOSED", "closedAt": "2026-06-02T12:00:00Z"}]


@pytest.mark.parametrize("points", [300, 309])
async def test_an_equal_bid_is_no_bid(hall: Shop, points: int) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    await bid(hall, ann, 300)
    assert (await bid(hall, bob, points))["errors"] == [{"code": "BID_TOO_LOW", "points": points, "needed": 310}]
    assert await balance(hall, ann) == {"available": 700, "held": 300}


async def test_a_frozen_member_bids_nothing(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    await freeze(hall, ann)
    assert (await bid(hall, ann, 100))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


@pytest.mark.parametrize("field", ["releaseHold", "captureHold"])
async def test_a_bidder_cannot_take_a_bid_back(hall: Shop, field: str) -> None:
    ann = await with_points(hall, "ann")
    await bid(hall, ann, 300)
    data = await hall.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { holds { nodes { id } } } } }", {"id": ann}, member=ann
    )
    (hold,) = data["node"]["holds"]["nodes"]
    kind = field[0].upper() + field[1:]
    answer = await hall.ask(
        f"mutation ($input: {kind}Input!) {{ {field}(input: $input) {{ errors {{ code }} }} }}",
        {"input": {"hold": hold["id"], "idempotencyKey": "1"}},
        member=ann,
    )
    assert answer[field]["errors"] == [{"code": "HOLD_NOT_FOUND"}]
    assert await balance(hall, ann) == {"available": 700, "held": 300}


async def test_an_order_cannot_be_paid_with_a_bid(sqlite_folder: SqliteFolder) -> None:
    shops = only("auction", "purchase")
    earn = "{groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}"
    document = PROGRAMME.replace("channels:", f"channels:\n  purchase: {{earn: {{points: {earn}}}}}")
    async with open_shop(sqlite_folder.migrated(tables(shops)), document, plugins=shops) as shop:
        ann = await with_points(shop, "ann")
        await bid(shop, ann, 300)
        data = await shop.ask(
            "query ($id: ID!) { node(id: $id) { ... on Member { holds { nodes { id } } } } }", {"id": ann}
        )
        (hold,) = data["node"]["holds"]["nodes"]
        answer = await shop.ask(
            "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code } } }",
            {
                "input": {
                    "member": {"id": ann},
                    "reference": "A1",
                    "amount": {"amount": "10.00", "currency": "CNY"},
                    "paidWithPoints": {"points": 300, "amount": "3.00", "hold": hold["id"]},
                    "idempotencyKey": "order:A1",
                }
            },
        )
        assert answer["recordPurchase"]["errors"] == [{"code": "HOLD_NOT_FOUND"}]
        assert await balance(shop, ann) == {"available": 700, "held": 300}


async def test_a_member_bids_their_own_points_and_ends_nothing(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    asked = {"member": {"id": ann}, "auction": "guitar", "points": 100, "idempotencyKey": "1"}
    answer = await hall.post(BID, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    await hall.ask(BID, {"input": asked}, member=ann)
    own = await hall.ask("{ auctions { id mine { id points } } }", member=ann)
    mine = own["auctions"][0]["mine"]
    assert mine["points"] == 100
    ask_for_it = "query ($id: ID!) { node(id: $id) { ... on AuctionBid { points transaction { kind } } } }"
    assert await hall.ask(ask_for_it, {"id": mine["id"]}, member=bob) == {"node": None}
    assert (await hall.ask(ask_for_it, {"id": mine["id"]}, member=ann))["node"]["transaction"] == {"kind": "bid"}
    for document in (CLOSE, CANCEL):
        answer = await hall.post(document, {"input": {"auction": "guitar", "idempotencyKey": "1"}}, member=ann)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    data = await hall.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { auctionBids { nodes { auction points } } } } }", {"id": ann}
    )
    assert data["node"]["auctionBids"]["nodes"] == [{"auction": "guitar", "points": 100}]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{}", "auctions: is missing"),
        ("{auctions: []}", "at least 1"),
        ("{auctions: [{id: a, title: A, opens: '2026-06-02T00:00Z', closes: '2026-06-02T00:00Z'}]}", "before it opens"),
        ("{auctions: [{id: a, title: A, opens: '2026-06-02T00:00', closes: '2026-06-03T00:00Z'}]}", "opens"),
        (
            "{auctions: [{id: a, title: A, opens: '2026-06-01T00:00Z', closes: '2026-06-03T00:00Z', least_raise: 0}]}",
            "greater than or equal to 1",
        ),
        ("{settle_days: 0, auctions: []}", "greater than or equal to 1"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"id: x\ncurrency: CNY\ntimezone: UTC\nchannels: {{auction: {section}}}", PLUGINS.settings)


async def test_without_the_section_there_is_nothing_to_bid_for(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(sqlite_folder.migrated(apps), bare, plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        assert (await bid(shop, ann, 100))["errors"] == [{"code": "AUCTIONS_NOT_OFFERED"}]
        assert (await end(shop, CLOSE))["errors"] == [{"code": "AUCTIONS_NOT_OFFERED"}]
        answer = await shop.post("{ auctions { id } }")
        assert answer["errors"][0]["extensions"]["code"] == "AUCTIONS_NOT_OFFERED"


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "auction" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    document = f"id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(sqlite_folder.migrated(apps), document, plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        (payload,) = (await shop.ask(mutation)).values()
        assert (payload["errors"], payload["auction"]["highest"]) == ([], 600)
        assert await balance(shop, ann) == {"available": 400, "held": 600}


async def test_the_mall_auctions_two_seats(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "mall.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document) as shop:
        ann = await with_points(shop, "ann")
        assert (await bid(shop, ann, 499, "concert"))["errors"] == [
            {"code": "BID_TOO_LOW", "points": 499, "needed": 500}
        ]
        assert (await bid(shop, ann, 500, "concert"))["auction"]["least"] == 550


async def test_the_job_closes_what_is_over_once_and_leaves_the_rest(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    await bid(hall, ann, 300)
    await bid(hall, bob, 500)
    early = await hall.laurel.jobs.run("auction_close")
    await hall.laurel.deliverer.drain()
    hall.clock.advance(timedelta(days=2))

    ran = [await hall.laurel.jobs.run("auction_close") for _ in range(2)]

    assert (early, ran) == (0, [1, 0])
    assert [(await standing(hall, member))[0] for member in (ann, bob)] == [1000, 500]
    assert await verify(hall.laurel.store.reader()) == []


async def test_the_job_tries_again_each_day_while_the_winner_is_frozen_and_the_bid_set_aside(hall: Shop) -> None:
    ann = await with_points(hall, "ann")
    await bid(hall, ann, 300)
    hall.clock.advance(timedelta(days=1, minutes=1))
    await do(hall, "freezeMember", member={"id": ann}, scope="SPENDING", reason="a test", idempotencyKey="1")
    frozen = await hall.laurel.jobs.run("auction_close")
    await do(hall, "unfreezeMember", member={"id": ann}, reason="a test", idempotencyKey="2")

    same_day = await hall.laurel.jobs.run("auction_close")
    hall.clock.advance(timedelta(days=1))
    next_day = await hall.laurel.jobs.run("auction_close")

    assert (frozen, same_day, next_day) == (0, 0, 1)
    assert await balance(hall, ann) == {"available": 700, "held": 0}


async def test_when_who_leads_leaves_the_programme_bids_begin_anew(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    await bid(hall, ann, 500)

    closed = await do(hall, "closeMembership", member={"id": ann}, reason="goodbye", idempotencyKey="1")
    payload = await bid(hall, bob, 100)
    hall.clock.advance(timedelta(days=2))

    assert closed["errors"] == payload["errors"] == []
    assert await hall.laurel.jobs.run("auction_close") == 1
    assert await balance(hall, bob) == {"available": 900, "held": 0}
    assert await verify(hall.laurel.store.reader()) == []


async def test_who_was_outbid_while_the_auction_was_being_ended_ends_nothing(hall: Shop) -> None:
    ann, bob = await with_points(hall, "ann"), await with_points(hall, "bob")
    await bid(hall, ann, 300)
    await bid(hall, bob, 500)
    late = CancelAuction(member=ByExternalId("ann"), idempotency_key="late", actor="a test", auction="guitar")

    outcome = await hall.laurel.committer.submit(late)

    assert outcome.refusal is not None
    assert outcome.refusal.to_json() == {"code": "AUCTION_OUTBID_MEANWHILE", "facts": {"auction": "guitar"}}
    assert await balance(hall, bob) == {"available": 500, "held": 500}


async def do(shop: Shop, mutation: str, **said: Any) -> Any:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
    return (await shop.ask(query, {"input": said}, role=Role.OPERATOR))[mutation]
