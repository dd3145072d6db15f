"""Names of a schema are no names of the text of a plan."""

from typing import Any

import strawberry
from graphql import parse

from graph.resolving import resolve_directly
from tests.graph.plans.both_ways import Asked, compared
from tests.graph.plans.test_plan import Context


@strawberry.type
class Tier:
    name: str


@strawberry.type
class Numbered:
    @strawberry.field
    def tier(self) -> Tier:
        return Tier(name="inner")


NUMBERS = range(12)
KINDS = [strawberry.type(type("Kind", (Numbered,), {}), name=f"Tier_{number}") for number in NUMBERS]


def _field(kind: Any) -> Any:
    def give() -> Any:
        return kind()

    give.__annotations__["return"] = kind
    return strawberry.field(resolver=give)


async def test_a_type_may_be_called_as_another_with_a_number() -> None:
    query = strawberry.type(type("Query", (), {f"of{number}": _field(KINDS[number]) for number in NUMBERS}))
    schema = strawberry.Schema(query)._schema
    resolve_directly(schema.type_map)
    for number in NUMBERS:
        asked = Asked.of(schema, parse(f"{{ of{number} {{ __typename tier {{ name }} }} }}"), {})
        answer, errors = await compared(asked, Context(), Context())
        assert answer == {f"of{number}": {"__typename": f"Tier_{number}", "tier": {"name": "inner"}}}
        assert errors == []
