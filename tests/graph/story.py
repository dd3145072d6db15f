"""A shop in which an operator has done with a member, once, all that there is to be done: each mutation, with success.

What is told of it is looked at by tests: that all of it is in the audit log, and that nobody else's token reaches
anything of it. A mutation that is not in the story is found by them; it is added to ``tell``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type

from core.time.clock import rfc3339
from graph.ids import read_id
from graph.permissions import AUDITED
from graph.testing import NOON, Shop  # noqa: TID251  used by tests only
from graph.tokens import Role
from tests.plugins.receiver import receiving

PROGRAMME: Final = """
id: everything
name: Everything
currency: CNY
timezone: Asia/Shanghai
starts_on: 2026-01-01
expiry: {mode: per_lot, months: 12}
point_value: "0.01"
tiers:
  window: {months: 12}
  ladder:
    - {id: regular}
    - {id: silver, all: [{fact: growth_earned, at_least: 1000}]}
    - {id: gold, all: [{fact: growth_earned, at_least: 5000}]}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
  review:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: review, points: 20}]}]}
  sign_in:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5}]}]}
    make_up: {cost: 20, days: 7, a_month: 3}
  share: {points: 10, limits: {month: 3}, proof: {days: 7}}
  checkout: {points_per_unit: {default: 100}, caps: {ratio: "0.50"}}
  donation: {projects: [{id: trees, title: Trees, goal: 5000000, least: 100}]}
  gift: {least: 10, limits: {day: 500}}
  leaderboard: {boards: [{id: spenders, title: Spenders, count: spend, period: month}]}
  investment:
    projects:
      - id: roastery
        title: A roastery
        goal: 1000000
        window: {from: "2026-01-01T00:00:00+08:00", to: "2026-06-03T00:00:00+08:00"}
        least: 100
        most: 5000
        success: "1.2"
        failure: "1"
        cancellable: true
  tier_purchase: {prices: {silver: 3000}, keep: {prices: {silver: 800}, months: 12}}
  birthday: {points: 88}
  coupon: {coupons: [{id: tenner, name: Ten yuan off, amount: "10.00", days: 30}]}
  benefit:
    benefits:
      - {id: wrapping, name: Gift wrapping, kind: service, per: month, quota: 3}
      - {id: treat, name: Ten yuan a month, kind: coupon, coupons: [tenner], per: month}
  profile: {sections: {phone: 10, address: 10}}
  quest:
    events: {product_view: A product's page was opened}
    quests: [{id: look, title: Look, period: daily, count: {product_view: 1}, points: 20, claim: true}]
  referral: {inviter: 80, invitee: 80}
  rewards:
    items:
      - {id: flask, name: Flask, kind: goods, price: 500, stock: true}
      - {id: card, name: Card, kind: voucher, price: 100, codes: true}
  lottery:
    pools:
      - id: wheel
        name: Wheel
        price: 10
        prizes: [{id: mug, name: Mug, kind: goods, weight: 1000}]
  auction:
    auctions:
      - {id: seats, title: Seats, opens: "2026-06-01T00:00:00+08:00", closes: "2026-06-03T00:00:00+08:00",
         least_bid: 500, least_raise: 50}
      - {id: guitar, title: Guitar, opens: "2026-06-01T00:00:00+08:00", closes: "2026-06-03T00:00:00+08:00",
         least_bid: 500, least_raise: 50}
  ticket: {due_hours: 48}
  group: {groups: [{id: circle, title: The circle, entry: application}]}
  tag: {tags: [{id: vip, name: A good customer}]}
  ambassador: {points: {default: 1}, days: 90}
  message:
    locale: en
    topics: {points: {}}
    messages:
      - {id: losing, event: points.expiring, topic: points, carriers: [webhook], texts: {en: {text: "Soon gone"}}}
trust: {velocity: [{channel: share, more_than: 1, within_minutes: 10}]}
"""
VARIABLES: Final = {
    "LAUREL_WEBHOOKS_PRIVATE": "yes",
    "LAUREL_MESSAGE_WEBHOOK_URL": "http://127.0.0.1:9/",
    "LAUREL_MESSAGE_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
}
CONTENT: Final = {"rating": 5, "length": 30, "pictures": 1}


@dataclass
class Story:
    """What was done in a shop: ``done`` are the mutations with their inputs and the ids of their requests, in order.

    ``ids`` are those of everything that was answered.
    """

    shop: Shop
    schema: GraphQLSchema
    done: list[tuple[str, Mapping[str, Any], str]] = field(default_factory=list)
    anna: str = ""
    bert: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    async def do(self, name: str, /, *, by: Role = Role.OPERATOR, more: str = "", **input: Any) -> dict[str, Any]:
        """The payload of a mutation that must be accepted, with the ids of what it gives; about anna if not said."""
        root = self.schema.mutation_type
        assert root is not None
        mutation = root.fields[name]
        wanted = get_named_type(mutation.args["input"].type)
        payload = get_named_type(mutation.type)
        assert isinstance(wanted, GraphQLInputObjectType)
        assert isinstance(payload, GraphQLObjectType)
        usual = {
            "member": {"id": self.anna},
            "reason": f"why {name}",
            "idempotencyKey": f"{name} {input} {len(self.done)}"[:200],
        }
        needed = {key for key, given in wanted.fields.items() if isinstance(given.type, GraphQLNonNull)}
        input = {key: value for key, value in usual.items() if key in needed or key == "reason"} | input
        input = {key: value for key, value in input.items() if key in wanted.fields}
        with_id = [
            f"{key} {{ id }}"
            for key, given in payload.fields.items()
            if isinstance(kind := get_named_type(given.type), GraphQLObjectType) and "id" in kind.fields
        ]
        text = (
            f"mutation ($input: {wanted.name}!) {{ it: {name}(input: $input) {{ errors {{ code message }} "
            f"{' '.join(with_id)} {more} }} }}"
        )
        response = await self.shop.client.post(
            "/graphql",
            json={"query": text, "variables": {"input": input}},
            headers={"Authorization": f"Bearer {self.shop.token(by)}"},
        )
        answer = response.json()
        assert "errors" not in answer, (name, answer)
        assert answer["data"]["it"]["errors"] == [], (name, answer)
        if by in AUDITED:
            self.done.append((name, input, response.headers["x-request-id"]))
        it: dict[str, Any] = answer["data"]["it"]
        self.ids |= set(ids_in(it))
        return it

    async def tell(self) -> None:
        """All of it, from the first member to the last key."""
        self.anna = (await self.do("enrolMember", externalId="anna"))["member"]["id"]
        self.bert = (await self.do("enrolMember", externalId="bert"))["member"]["id"]
        for tell in (
            self._operators, self._earning, self._spending, self._coupons, self._rewards, self._helping,
            self._looking_after, self._machinery,
        ):  # fmt: skip
            await tell()

    async def _operators(self) -> None:
        given = await self.do("adjustPoints", points=50_000)
        await self.do("adjustPoints", points=5_000, member={"id": self.bert})
        await self.do("updateMember", birthday="1990-06-01")
        await self.do("claimBirthdayGift")
        await self.do("changeBirthday", birthday="1990-07-01")
        await self.do("reverseTransaction", transaction=given["transaction"]["id"], points=100)
        await self.do("extendPoints", expiresOn="2030-01-01")
        held = await self.do("holdPoints", points=10)
        await self.do("captureHold", hold=held["hold"]["id"])
        held = await self.do("holdPoints", points=20)
        await self.do("releaseHold", hold=held["hold"]["id"])
        await self.do("redeemPoints", points=5)

    async def _earning(self) -> None:
        yuan = {"amount": "100.00", "currency": "CNY"}
        await self.do("recordPurchase", reference="A1", amount=yuan)
        await self.do("refundPurchase", order="A1", reference="R1", amount={"amount": "10.00", "currency": "CNY"})
        one = {"member": {"id": self.anna}, "reference": "A2", "amount": yuan, "idempotencyKey": "A2"}
        await self.do("recordPurchases", purchases=[one])
        await self.do("recordGuestOrder", reference="G1", amount=yuan, customer="a-guest")
        await self.do("refundGuestOrder", order="G1", reference="GR1")
        await self.do("forgetGuest", customer="a-guest")
        for number, act in enumerate(("approveReview", "rejectReview", "withdrawReview"), 1):
            submitted = await self.do("submitReview", reference=f"review {number}", order=f"O{number}", content=CONTENT)
            review = submitted["review"]["id"]
            if number == 1:
                await self.do("editReview", review=review, content={**CONTENT, "rating": 4})
            await self.do(act, review=review)
        shared = await self.do("recordShare", item="tea", more="share { code }")
        await self.do("confirmShare", code=shared["share"]["code"], visitor="a friend")
        # What operators do is not watched.
        for item in ("coffee", "cake"):
            await self.do("recordShare", by=Role.SERVICE, item=item)
        flags = await self.shop.ask("{ flags { nodes { id } } }", role=Role.OPERATOR)
        (flag,) = flags["flags"]["nodes"]
        await self.do("decideFlag", flag=flag["id"], decision="CLEAR")
        bought = await self.do("recordPurchase", reference="A6", amount=yuan)
        await self.do("forfeitGains", transactions=[bought["transaction"]["id"]])
        code = (await self.do("issueReferralCode", more="referralCode"))["referralCode"]
        await self.do("acceptReferral", member={"externalId": "cleo"}, code=code, enrolIfUnknown=True)
        await self.do("recordSignIn")
        await self.do("recordQuestEvent", by=Role.ADMIN, event="product_view", object="tea")
        await self.do("claimQuest", quest="look")
        await self.do("completeProfileSection", section="phone")
        await self.do("changeLeaderboardName", isHidden=True)

    async def _spending(self) -> None:
        yuan = {"amount": "100.00", "currency": "CNY"}
        held = await self.do("holdCheckout", basket=yuan, points=5_000, reference="A3")
        await self.do("captureCheckout", hold=held["hold"]["id"])
        held = await self.do("holdCheckout", basket=yuan, points=5_000, reference="A4")
        await self.do("releaseCheckout", hold=held["hold"]["id"])
        await self.do("donatePoints", project="trees", points=100)
        await self.do("giftPoints", to="bert", points=10, message="For you")
        first = await self.do("stakePoints", project="roastery", points=100)
        await self.do("cancelStake", stake=first["stake"]["id"])
        await self.do("stakePoints", project="roastery", points=200)
        await self.do("buyTier", tier="silver", price=3_000)
        await self.do("keepTier", tier="silver", price=800)
        await self.do("setTier", tier="gold")
        await self.do("tagMember", tag="vip")
        await self.do("untagMember", tag="vip")
        drawn = await self.do("drawLottery", pool="wheel", count=1)
        draw = drawn["draws"][0]["id"]
        await self.do("fulfilPrize", draw=draw)
        await self.do("deliverPrize", draw=draw)
        await self.do("placeBid", auction="seats", points=500)
        await self.do("cancelAuction", auction="seats")
        await self.do("placeBid", auction="guitar", points=500)

    async def _coupons(self) -> None:
        yuan = {"amount": "100.00", "currency": "CNY"}
        for key in ("used", "withdrawn"):
            issued = await self.do("issueCoupon", coupon="tenner", more="coupon { code }")
            self.codes[key] = issued["coupon"]["code"]
        await self.do(
            "useCoupon", by=Role.ADMIN, code=self.codes["used"], order="A5", amount=yuan, member={"id": self.anna}
        )
        await self.do("undoCouponUse", code=self.codes["used"])
        await self.do("withdrawCoupon", code=self.codes["withdrawn"])
        await self.do("useBenefit", by=Role.ADMIN, benefit="wrapping", reference="A5")
        await self.do("undoBenefitUse", benefit="wrapping", reference="A5")
        await self.do("collectBenefit", benefit="treat")

    async def _rewards(self) -> None:
        await self.do("stockReward", reward="flask", quantity=5)
        await self.do("addVoucherCodes", reward="card", codes=["K-1", "K-2"])
        order = (await self.do("redeemReward", reward="flask", quantity=1))["order"]["id"]
        await self.do("fulfilReward", order=order)
        await self.do("deliverReward", order=order)
        order = (await self.do("redeemReward", reward="flask", quantity=1))["order"]["id"]
        await self.do("cancelReward", order=order)

    async def _helping(self) -> None:
        opened = await self.do("openTicket", subject="Points are missing", text="Where are they?")
        ticket = opened["ticket"]["id"]
        await self.do("writeInTicket", ticket=ticket, text="It is urgent.")
        await self.do("answerTicket", ticket=ticket, text="Here you are.", compensation=5)
        await self.do("closeTicket", ticket=ticket)
        await self.do("joinGroup", group="circle", note="Let me in, please.")
        await self.do("declineGroupApplication", group="circle")
        await self.do("joinGroup", group="circle")
        await self.do("approveGroupApplication", group="circle")
        await self.do("removeFromGroup", group="circle")
        await self.do("joinGroup", group="circle")
        await self.do("leaveGroup", group="circle")
        await self.do("applyAsAmbassador", note="I know everybody.")
        await self.do("declineAmbassador")
        await self.do("applyAsAmbassador")
        await self.do("approveAmbassador")
        await self.do("endAmbassador")
        await self.do("applyAsAmbassador")
        await self.do("withdrawAsAmbassador")
        await self.do("updateMessagePreferences", topics=[{"topic": "points", "wanted": False}], carriers=[])
        await self.do("sendTestMessage", message="losing", carrier="webhook")
        await self.do("replayMessages", carrier="webhook")
        notice = await self.do("publishNotice", title="A till was down", text="Points of Monday come late.")
        await self.do("withdrawNotice", notice=notice["notice"]["id"])

    async def _looking_after(self) -> None:
        await self.do("freezeMember", scope="SPENDING")
        await self.do("unfreezeMember")
        await self.do("changeMemberStatus", status="FROZEN")
        await self.do("changeMemberStatus", status="ACTIVE")
        await self.do("enrolMember", externalId="dora")
        dora = {"externalId": "dora"}
        merging: Any = {"from": dora}
        await self.do("mergeMembers", into={"id": self.bert}, **merging)
        await self.do("undoMerge", member=dora)
        await self.do("closeMembership", member=dora)
        await self.do("eraseMember", member=dora)
        given = await self.do("adjustPoints", points=7, member={"id": self.bert})
        await self.do("reverseTransactions", selection={"transactions": [given["transaction"]["id"]]})
        begun = await self.do("compensateMembers", selection={"externalIds": ["bert"]}, points=5)
        await self.do("cancelRemedy", remedy=begun["remedy"]["id"])
        await self.do("publishProgramme", document=PROGRAMME.replace("Everything", "Nearly everything"))
        await self._drafting()
        await self.do("runJob", name="expire")
        if self.shop.laurel.clock.is_sandbox:
            await self.do("advanceClock", until=rfc3339(self.shop.laurel.clock.now() + timedelta(hours=1)))
        self.shop.clock.advance(timedelta(days=3))
        await self.do("runJob", name="expire")
        until = rfc3339(self.shop.laurel.clock.now())
        asked: dict[str, Any] = {"programme": {"document": PROGRAMME}, "since": rfc3339(NOON), "until": until}
        simulation = (await self.do("simulateProgramme", **asked))["simulation"]["id"]
        await self.do("cancelSimulation", simulation=simulation)
        await self.do("closeAuction", auction="guitar")
        await self.do("settleInvestment", project="roastery", outcome="SUCCEEDED")
        # She has signed in once, then missed two days.
        await self.do("recordSignIn")
        await self.do("makeUpSignIn", day="2026-06-02")

    async def _drafting(self) -> None:
        document = PROGRAMME.replace("Everything", "Everything else")
        draft = (await self.do("createProgrammeDraft", title="Another name"))["draft"]["id"]
        await self.do("replaceProgrammeDraft", draft=draft, revision=1, document=document)
        edits = [{"setValue": {"path": ["name"], "value": {"text": "All of it"}}}]
        await self.do("editProgrammeDraft", draft=draft, revision=2, edits=edits)
        await self.do("publishProgrammeDraft", draft=draft, revision=3)
        await self.do("rollBackProgramme", version=1)
        left = (await self.do("createProgrammeDraft", title="Not worth it"))["draft"]["id"]
        await self.do("discardProgrammeDraft", draft=left, revision=1)
        draft = (await self.do("createProgrammeDraft", title="Once more", document=PROGRAMME))["draft"]["id"]
        await self.do("proposeProgrammeDraft", draft=draft, revision=1)
        await self.do("approveProgrammeDraft", by=Role.ADMIN, draft=draft, revision=2)

    async def _machinery(self) -> None:
        key = (await self.do("createApiKey", by=Role.ADMIN, name="till 4", role="SERVICE"))["apiKey"]["id"]
        await self.do("rotateApiKey", by=Role.ADMIN, key=key)
        await self.do("revokeApiKey", by=Role.ADMIN, key=key)
        async with receiving() as receiver:
            made = await self.do("createWebhookEndpoint", url=receiver.url, events=["tier.changed"])
            endpoint = made["endpoint"]["id"]
            await self.do("testWebhookEndpoint", id=endpoint)
        await self.do("updateWebhookEndpoint", id=endpoint, events=["order.paid"])
        await self.do("rotateWebhookSecret", id=endpoint)
        await self.do("replayWebhookEvents", id=endpoint)
        await self.do("deleteWebhookEndpoint", id=endpoint)

    def raw(self) -> str:
        """Anna's id as it stands in the database."""
        return str(read_id(self.anna)[1])


def ids_in(answer: Any) -> Iterator[str]:
    """The values of all fields that are called so."""
    match answer:
        case dict():
            for name, value in answer.items():
                yield from [value] if name == "id" and value else ids_in(value)
        case list():
            for value in answer:
                yield from ids_in(value)
