"""What the README's call needs first: an inviter with a code, which is another in every shop."""

from graph.testing import Shop


async def prepare(shop: Shop) -> str:
    """Enrol Anna and give her a code; the call by which Bob accepts it."""
    await shop.enrol("anna")
    answer = await shop.ask(
        "mutation ($input: IssueReferralCodeInput!) { issueReferralCode(input: $input) { referralCode } }",
        {"input": {"member": {"externalId": "anna"}, "idempotencyKey": "conformance"}},
    )
    code = answer["issueReferralCode"]["referralCode"]
    return (
        "mutation { acceptReferral("
        f'input: {{member: {{externalId: "bob"}}, code: "{code}", idempotencyKey: "conformance"}}'
        ") { errors { code } } }"
    )
