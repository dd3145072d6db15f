"""How much an introspection brings, by what the schema holds: as many types as there are, and so many fields each.

The query that GraphiQL and code generators send is the measure: twice what it costs may be asked for at once. One that
asks for the fields of the types of the fields of all types is many times as dear.
"""

from collections.abc import Mapping
from typing import Final

from graphql import (
    GraphQLSchema,
    get_introspection_query,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

INTROSPECTIONS_MAX: Final = 2
"""How many whole introspections one document may ask for."""

WHOLE: Final = get_introspection_query(
    specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
)

WEIGHTLESS: Final = frozenset({"__Type.ofType"})
"""What is null in almost all places, though every query asks for nine of them below each other."""


def lengths(schema: GraphQLSchema) -> Mapping[str, int]:
    """How many things a field of the introspection brings, on average and rounded up; one, if it is not here.

    A root type, and one that is asked for by its name, may be as large as the largest: they count as so many types.
    """
    sizes: dict[str, list[int]] = {name: [] for name in ("fields", "inputFields", "enumValues", "possibleTypes")}
    for kind in schema.type_map.values():
        sizes["fields"].append(len(kind.fields) if is_object_type(kind) or is_interface_type(kind) else 0)
        sizes["inputFields"].append(len(kind.fields) if is_input_object_type(kind) else 0)
        sizes["enumValues"].append(len(kind.values) if is_enum_type(kind) else 0)
        sizes["possibleTypes"].append(len(schema.get_possible_types(kind)) if is_abstract_type(kind) else 0)
    types = len(schema.type_map)
    means = {name: _mean(sum(counts), types) for name, counts in sizes.items()}
    largest = max(_mean(max(counts), means[name]) for name, counts in sizes.items())
    found = {f"__Type.{name}": mean for name, mean in means.items()}
    found |= {f"__Schema.{name}": largest for name in ("queryType", "mutationType", "subscriptionType")}
    if schema.query_type is not None:
        found[f"{schema.query_type.name}.__type"] = largest
    return found | {"__Schema.types": types, "__Schema.directives": len(schema.directives)}


def _mean(total: int, among: int) -> int:
    return max(-(-total // max(among, 1)), 1)
