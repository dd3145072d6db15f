"""A till that takes points: it quotes, sets aside and is paid, with the token of the brand's backend."""

from typing import Any, NamedTuple

from tests.programmes.story import Life, Row


class Held(NamedTuple):
    """Points that are set aside for a basket, and the money that they pay for."""

    id: str
    basket: str
    reference: str
    money: str
    points: int


async def quotes(life: Life, basket: str, amount: str | None = None) -> dict[str, Any]:
    """What the member's own app shows of a basket: nothing happens."""
    asked = {"member": {"id": life.id}, "basket": life.story.money(basket), "amount": amount}
    data = await life.is_asked(
        "query ($input: QuoteCheckoutInput!) { quoteCheckout(input: $input) {"
        " amount { amount } points limitedBy errors { code } } }",
        input=asked,
    )
    quote: dict[str, Any] = data["quoteCheckout"]
    return quote


async def holds(life: Life, what: str, basket: str, reference: str, amount: str | None = None) -> Held:
    """Set aside the points for a basket: as many as can be, or what pays for ``amount``."""
    story = life.story
    more: dict[str, Any] = {} if amount is None else {"amount": amount}
    payload = await life.does(
        what, "holdCheckout", "hold { id amount } amount { amount }",
        basket=story.money(basket), reference=reference, **more,
    )  # fmt: skip
    hold = payload["hold"]
    return Held(hold["id"], basket, reference, str(payload["amount"]["amount"]), int(hold["amount"]))


async def pays(life: Life, what: str, held: Held, *, mark: bool = False, **order: Any) -> Row:
    """Pay the rest of the basket with money; the order takes what was set aside."""
    with_points = {"hold": held.id, "points": held.points, "amount": held.money}
    return await life.buys(held.basket, what, mark=mark, reference=held.reference, paidWithPoints=with_points, **order)
