"""What names a member in one of several ways, by a variable, in an operation or in a fragment before or after it."""

from typing import Any

import pytest

from graph.testing import Shop

FRAGMENT = "fragment F on Query { member(by: {id: $m}) { externalId } }"
NULLABLE = "Variable 'm' must be non-nullable to be used for OneOf Input Object 'MemberByInput'."


async def asked(shop: Shop, text: str, **variables: Any) -> dict[str, Any]:
    return await shop.post(text, variables)


@pytest.mark.parametrize("before", [True, False])
async def test_a_fragment_names_a_member_by_a_variable_of_the_operation(shop: Shop, before: bool) -> None:
    anna = await shop.enrol("anna")
    parts = [FRAGMENT, "query ($m: ID!) { ...F }"]
    answer = await asked(shop, " ".join(parts if before else reversed(parts)), m=anna)
    assert answer["data"] == {"member": {"externalId": "anna"}}


@pytest.mark.parametrize("before", [True, False])
async def test_a_variable_that_may_be_null_is_refused_in_a_fragment_as_well(shop: Shop, before: bool) -> None:
    parts = [FRAGMENT, "query ($m: ID) { ...F }"]
    answer = await asked(shop, " ".join(parts if before else reversed(parts)), m=None)
    assert NULLABLE in [error["message"] for error in answer["errors"]]


async def test_a_variable_of_an_operation_that_does_not_spread_the_fragment_does_not_count(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    other = "query Other($m: String) { members(after: $m) { totalCount } }"
    text = f"{other} {FRAGMENT} query It($m: ID!) {{ ...F }}"
    response = await shop.client.post(
        "/graphql",
        json={"query": text, "variables": {"m": anna}, "operationName": "It"},
        headers={"Authorization": f"Bearer {shop.token()}"},
    )
    assert response.json()["data"] == {"member": {"externalId": "anna"}}


@pytest.mark.parametrize("text", ["{ member(by: {id: $m}) { id } }", f"{FRAGMENT} query {{ ...F }}"])
async def test_a_variable_that_nobody_declares_is_told_of(shop: Shop, text: str) -> None:
    answer = await asked(shop, text)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert error["message"].startswith("Variable '$m' is not defined")
