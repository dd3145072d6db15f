"""What the README's call needs first: a member whose birthday it is."""

from datetime import timedelta

from graph.testing import Shop


async def prepare(shop: Shop) -> None:
    """Enrol Ann, who was born on this day of the year, and joined long ago."""
    now = shop.clock.now()
    joined, born = now - timedelta(days=200), now.date().replace(year=1990)
    await shop.ask(
        "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { errors { code } } }",
        {
            "input": {
                "externalId": "ann",
                "birthday": born.isoformat(),
                "enrolledAt": joined.isoformat(),
                "idempotencyKey": "conformance",
            }
        },
    )
