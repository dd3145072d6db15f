"""The stores and pools of the example programmes, with the numbers of their documents; and what the READMEs say."""

import re
from pathlib import Path

import pytest

from graph.testing import open_shop
from graph.tokens import Role
from tests.plugins.channel import only

ROOT = Path(__file__).parents[2]
PROGRAMMES = ROOT / "examples" / "programmes"

REDEEM = """mutation ($input: RedeemRewardInput!) { redeemReward(input: $input) {
  order { points } member { points { available } } errors { message } } }"""
DRAW = """mutation ($input: DrawLotteryInput!) { drawLottery(input: $input) {
  draws { points } member { points { available } } errors { message } } }"""


@pytest.mark.parametrize(
    ("programme", "reward", "price"),
    [
        ("mall", "phone_credit", 1_000),
        ("mall", "flask", 5_000),
        ("mall", "speaker", 20_000),
        ("coffee-shop", "coffee", 300),
        ("coffee-shop", "dessert", 200),
        ("sme", "voucher", 90),  # nine tenths of 100, as points like these make a diamond member
        ("sme", "gift", 450),
        ("beauty-brand", "voucher", 1_000),
        ("template-plan", "gift", 1_000),
    ],
)
async def test_what_a_reward_of_the_example_costs(tmp_path: Path, programme: str, reward: str, price: int) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / f"{programme}.yaml").read_text()) as shop:
        ann = await shop.enrol("ann")
        await shop.give(ann, 25_000, "opening")
        before = (await shop.ask(POINTS, {"id": ann}))["node"]["points"]["available"]
        await shop.ask(
            "mutation ($stock: StockRewardInput!, $codes: AddVoucherCodesInput!) {"
            " stockReward(input: $stock) { stockLeft } addVoucherCodes(input: $codes) { stockLeft } }",
            {
                "stock": {"reward": reward, "quantity": 1, "idempotencyKey": "stock"},
                "codes": {"reward": reward, "codes": ["A"], "idempotencyKey": "codes"},
            },
            role=Role.OPERATOR,
        )

        payload = (await shop.ask(REDEEM, {"input": {"member": {"id": ann}, "reward": reward, "idempotencyKey": "1"}}))[
            "redeemReward"
        ]

        assert payload == {
            "order": {"points": price}, "member": {"points": {"available": before - price}}, "errors": []
        }  # fmt: skip


POINTS = "query ($id: ID!) { node(id: $id) { ... on Member { points { available } } } }"


@pytest.mark.parametrize(
    ("programme", "pool", "price"),
    [
        ("mall", "wheel", 10),
        ("beauty-brand", "beauty", 100),
        ("coffee-shop", "cup", 150),
        ("template-plan", "draw", 100),
    ],
)
async def test_what_a_draw_of_the_example_costs(tmp_path: Path, programme: str, pool: str, price: int) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / f"{programme}.yaml").read_text()) as shop:
        ann = await shop.enrol("ann")
        await shop.give(ann, 2_000, "opening")
        before = (await shop.ask(POINTS, {"id": ann}))["node"]["points"]["available"]

        payload = (
            await shop.ask(DRAW, {"input": {"member": {"id": ann}, "pool": pool, "count": 5, "idempotencyKey": "1"}})
        )["drawLottery"]

        assert payload["errors"] == []
        assert len(payload["draws"]) == 5
        won = sum(drawn["points"] for drawn in payload["draws"])
        assert payload["member"]["points"]["available"] == before - 5 * price + won


@pytest.mark.parametrize(("plugin", "codes"), [("rewards", ["REWARD_SOLD_OUT"]), ("lottery", [])])
async def test_what_a_readme_shows_can_be_pasted(tmp_path: Path, plugin: str, codes: list[str]) -> None:
    readme = (ROOT / "plugins" / plugin / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", readme, re.DOTALL)
    programme = f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(tmp_path, programme, plugins=only(plugin)) as shop:
        await shop.give(await shop.enrol("ann"), 9_000, "opening")

        (payload,) = (await shop.ask(mutation)).values()

        assert [error["code"] for error in payload["errors"]] == codes
