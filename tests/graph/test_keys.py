"""API keys, as an administrator has them made and a backend sends them."""

from datetime import timedelta
from typing import Any

import pytest

from core.oversight.keys import OVERLAP_MAX, USED_EVERY, digest_of
from graph.authentication import REVOKED_WITHIN, Authenticator
from graph.ids import global_id
from graph.settings import Settings
from graph.testing import SECRET, Shop
from graph.tokens import Role, TokenInvalid

CREATE = """mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  secret apiKey { id name role hint channels capabilities createdBy endsAt isRevoked usedAt }
  errors { code message } } }"""
ROTATE = """mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
  secret apiKey { id name role endsAt } errors { code message } } }"""
REVOKE = """mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
  apiKey { id isRevoked } errors { code message } } }"""


async def create(shop: Shop, **given: Any) -> dict[str, Any]:
    wanted = {"name": "till 4", "role": "SERVICE", **given}
    made: dict[str, Any] = (await shop.ask(CREATE, {"input": wanted}, role=Role.ADMIN))["createApiKey"]
    return made


async def whoami(shop: Shop, key: str) -> Any:
    """Who the bearer of a key is, or why they are nobody."""
    headers = {"Authorization": f"Bearer {key}"}
    response = await shop.client.post("/graphql", json={"query": "{ viewer { role subject } }"}, headers=headers)
    answer = response.json()
    return answer["data"]["viewer"] if response.status_code == 200 else answer["errors"][0]["message"]


async def test_a_key_is_told_once_and_lets_its_bearer_in(shop: Shop) -> None:
    made = await create(shop, expiresAt="2026-06-02T12:00:00Z")
    key = made.pop("secret")

    assert made["errors"] == []
    assert {**made["apiKey"], "id": None} == {
        "id": None,
        "name": "till 4",
        "role": "SERVICE",
        "hint": key[:11],
        "channels": [],
        "capabilities": [],
        "createdBy": "admin:a admin",
        "endsAt": "2026-06-02T12:00:00Z",
        "isRevoked": False,
        "usedAt": None,
    }
    assert await whoami(shop, key) == {"role": "service", "subject": "till 4"}
    assert await whoami(shop, key[:-1] + ("A" if key[-1] != "A" else "B")) == "the API key is not known"
    shop.clock.advance(timedelta(days=1))
    assert await whoami(shop, key) == "the API key has expired"


async def test_nothing_that_is_kept_tells_the_key(shop: Shop) -> None:
    key = (await create(shop))["secret"]
    await whoami(shop, key)
    reader = shop.laurel.store.reader()

    kept = [await reader.query(f"SELECT * FROM {table}") for table in ("api_key", "audit")]

    assert digest_of(key) in str(kept[0])
    assert digest_of(key) not in str(kept[1])
    assert key not in str(kept)


async def test_a_key_that_was_exchanged_goes_on_for_a_while(every_shop: Shop) -> None:
    shop = every_shop
    old = await create(shop)
    given = {"key": old["apiKey"]["id"], "overlapSeconds": 3600}

    new = (await shop.ask(ROTATE, {"input": given}, role=Role.ADMIN))["rotateApiKey"]

    assert new["errors"] == []
    assert await whoami(shop, old["secret"]) == await whoami(shop, new["secret"])
    shop.clock.advance(timedelta(hours=1))
    assert await whoami(shop, old["secret"]) == "the API key has expired"
    assert await whoami(shop, new["secret"]) == {"role": "service", "subject": "till 4"}


async def test_a_revoked_key_ends_at_once_here_and_soon_in_every_other_process(shop: Shop) -> None:
    made = await create(shop)
    settings = Settings(secret=SECRET)
    async with Authenticator(settings, shop.laurel.store, shop.clock) as elsewhere:
        assert (await elsewhere.caller(made["secret"])).subject == "till 4"
        await whoami(shop, made["secret"])

        await shop.ask(REVOKE, {"input": {"key": made["apiKey"]["id"], "reason": "it was lost"}}, role=Role.ADMIN)

        assert await whoami(shop, made["secret"]) == "the API key was revoked"
        shop.clock.advance(REVOKED_WITHIN)
        with pytest.raises(TokenInvalid, match="was revoked"):
            await elsewhere.caller(made["secret"])


async def test_the_use_of_a_key_is_written_down_to_the_hour(shop: Shop) -> None:
    key = (await create(shop))["secret"]
    used = []
    for _ in range(3):
        await whoami(shop, key)
        answer = await shop.ask("{ apiKeys { nodes { usedAt } } }", role=Role.ADMIN)
        used.append(answer["apiKeys"]["nodes"][0]["usedAt"])
        shop.clock.advance(USED_EVERY / 2)

    assert used == ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": ""}, "INVALID_VALUE"),
        ({"name": "x" * 151}, "INVALID_VALUE"),
        ({"role": "PARTNER"}, "INVALID_VALUE"),
        ({"role": "PARTNER", "channels": ["nowhere"]}, "INVALID_VALUE"),
        ({"role": "PARTNER", "capabilities": ["rewards.nothing"]}, "INVALID_VALUE"),
        ({"channels": ["purchase"]}, "INVALID_VALUE"),
        ({"expiresAt": "2026-06-01T12:00:00Z"}, "INVALID_INSTANT"),
    ],
)
async def test_a_key_that_cannot_be_meant_is_refused(shop: Shop, given: dict[str, Any], code: str) -> None:
    made = await create(shop, **given)

    assert made["secret"] is None
    assert [error["code"] for error in made["errors"]] == [code]
    assert await shop.ask("{ apiKeys { totalCount } }", role=Role.ADMIN) == {"apiKeys": {"totalCount": 0}}


async def test_a_key_that_has_ended_or_never_was_cannot_be_exchanged_or_revoked(shop: Shop) -> None:
    made = await create(shop)
    ended, unknown = {"key": made["apiKey"]["id"]}, {"key": global_id("ApiKey", "nobody's")}
    long = {**ended, "overlapSeconds": int(OVERLAP_MAX.total_seconds()) + 1}

    async def codes(text: str, given: dict[str, Any]) -> list[str]:
        (payload,) = (await shop.ask(text, {"input": given}, role=Role.ADMIN)).values()
        return [error["code"] for error in payload["errors"]]

    assert await codes(ROTATE, long) == ["INVALID_VALUE"]
    assert await codes(REVOKE, ended) == []
    assert await codes(REVOKE, ended) == await codes(ROTATE, ended) == ["API_KEY_ENDED"]
    assert await codes(REVOKE, unknown) == await codes(ROTATE, unknown) == ["API_KEY_NOT_FOUND"]
