"""Referrals under other rules: what is simulated for both sides is what comes when they are published."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from graph.testing import Shop
from graph.tokens import Role
from tests.databases import SqliteFolder
from tests.plugins.channel import told
from tests.plugins.orders import buy, document, send_back
from tests.plugins.simulated import DAY, Turn, anew, issued, told_twice
from tests.plugins.test_referral import ACCEPT, ISSUE

pytestmark = pytest.mark.timeout(300)  # it waits for a process that lets all others go first

HOUR: Final = timedelta(hours=1)
PROGRAMME: Final = document("  referral: {inviter: 80, invitee: 30, a_month: 5}")
NO_CHANNEL: Final = document("  share: {points: 5}")
REDEEM: Final = """mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }"""


async def friends(shop: Shop, turn: Turn) -> None:
    """Ann brings three friends, and spends what the first brought within the hour. The third sends all back."""
    ann, others = await shop.enrol("ann"), [await shop.enrol(name) for name in ("bob", "cem", "dan")]

    async def asked(text: str, role: Role = Role.SERVICE, **input: Any) -> Any:
        shop.clock.advance(HOUR)
        (payload,) = (await shop.ask(text, {"input": input}, role=role)).values()
        return payload

    async def order(member: str, reference: str, amount: str) -> None:
        shop.clock.advance(HOUR)
        await buy(shop, member, reference, amount)
        await told(shop)

    # The code was given before the turn; it is renewed after it.
    code = (await asked(ISSUE, member={"id": ann}, idempotencyKey="code"))["referralCode"]
    await asked(ACCEPT, member={"id": others[0]}, code=code, idempotencyKey="accept")
    shop.clock.advance(DAY)
    await turn()
    await asked(ISSUE, member={"id": ann}, idempotencyKey="renewed")
    await order(others[0], "B", "60.00")
    await asked(REDEEM, Role.OPERATOR, member={"id": ann}, points=80, idempotencyKey="redeem")
    for number, (member, amount) in enumerate(zip(others[1:], ("100.00", "10.00"), strict=True)):
        shop.clock.advance(DAY)
        await asked(ACCEPT, member={"id": member}, code=code, idempotencyKey=f"accept {number}")
        await order(member, f"F{number}", amount)
    shop.clock.advance(HOUR)
    await send_back(shop, others[2], "F1")
    await told(shop)


@pytest.mark.parametrize(
    ("draft", "points", "refused"),
    [
        (PROGRAMME.replace("80", "200").replace("30", "5"), 170 + 3 * 205, {}),
        (PROGRAMME.replace("a_month: 5", "a_month: 5, order_at_least: '50.00'"), 170 + 2 * 110, {}),
        (PROGRAMME.replace("a_month: 5", "a_month: 1"), 170 + 110, {"referral.accept: INVITATIONS_USED_UP": 2}),
        (NO_CHANNEL, 170, {"referral.accept: REFERRAL_NOT_OFFERED": 2, "referral.issue_code: REFERRAL_NOT_OFFERED": 1}),
    ],
    ids=["200 and 5 points", "large orders only", "one a month", "no longer offered"],
)
async def test_both_sides_are_simulated_as_they_come(
    sqlite_folder: SqliteFolder, tmp_path: Path, draft: str, points: int, refused: dict[str, int]
) -> None:
    result = await told_twice(sqlite_folder, PROGRAMME, draft, friends, tmp_path)

    assert issued(result) == (170 + 3 * 110, points)
    assert anew(result, "referral") == {"issue_code": 2, "accept": 3}
    assert result["draft"]["refused"] == refused
    # A friend's own points come with the order.
    sources = {(each["channel"], each["kind"]): each["times"] for each in result["today"]["sources"]}
    assert sources == {("purchase", "record"): 6, ("referral", "reward"): 3}
