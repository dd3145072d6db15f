"""What the README's call needs first: a coupon whose code is known."""

from graph.testing import Shop
from graph.vocabulary import Role

_ISSUE = """mutation { issueCoupon(input: {
  member: {externalId: "ann"}, coupon: "birthday", reason: "to begin with", idempotencyKey: "first"
}) { coupon { code } errors { message } } }"""


async def prepare(shop: Shop) -> str:
    """Issue one to Ann, and use that."""
    await shop.enrol("ann")
    issued = (await shop.ask(_ISSUE, role=Role.OPERATOR))["issueCoupon"]
    assert issued["errors"] == []
    return (
        f'mutation {{ useCoupon(input: {{code: "{issued["coupon"]["code"]}", order: "A1001",'
        ' amount: {amount: "120.00", currency: "CNY"}, idempotencyKey: "till-1"}) {'
        " coupon { status discount { amount } } errors { code message } } }"
    )
