"""An operation executed both ways: by a plan, and by graphql-core as ever."""

from typing import Any, NamedTuple

from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import DocumentNode, FragmentDefinitionNode
from graphql.type import GraphQLSchema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.plans import Surprise
from graph.plans.plan import Plan


class Asked(NamedTuple):
    """An operation of a valid document, and the values of its variables."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDetails]
    operation: OperationDefinitionNode
    variables: VariableValues

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> "Asked":
        """The only operation of a document. Raises GraphQLError for variables that are not what it wants."""
        nodes = document.definitions
        fragments = {
            node.name.value: FragmentDetails(node) for node in nodes if isinstance(node, FragmentDefinitionNode)
        }
        (operation,) = (node for node in nodes if isinstance(node, OperationDefinitionNode))
        values = get_variable_values(schema, operation.variable_definitions or (), variables)
        if isinstance(values, list):
            raise values[0]
        return cls(schema, fragments, operation, values)

    def plan(self) -> Plan:
        return Plan(self.schema, self.fragments, self.operation, self.variables)


async def executed(asked: Asked, context: Any) -> ExecutionResult:
    """What graphql-core answers."""
    definitions = {name: details.definition for name, details in asked.fragments.items()}
    result = StrawberryGraphQLCoreExecutionContext(
        asked.schema,
        definitions,
        asked.fragments,
        None,
        context,
        asked.operation,
        asked.variables,
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        is_awaitable=optimized_is_awaitable,
    ).execute_operation()
    if optimized_is_awaitable(result):
        result = await result  # type: ignore[misc]
    assert isinstance(result, ExecutionResult)
    return result


async def planned(asked: Asked, context: Any) -> dict[str, Any] | None:
    """What a plan answers; None where it is surprised."""
    try:
        return await asked.plan().run(context, asked.variables)
    except Surprise:
        return None


async def compared(
    asked: Asked, planned_with: Any, executed_with: Any
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    """What a plan answers, and the errors of graphql-core, which must answer the same unless it has some."""
    by_plan, result = await planned(asked, planned_with), await executed(asked, executed_with)
    if by_plan is not None:
        assert result.errors is None, result.errors
        assert by_plan == result.data
        assert _order(by_plan) == _order(result.data), "the fields are in another order"
    return by_plan, result.errors or []


def _order(value: Any) -> Any:
    """The names of an answer as they follow one another; dictionaries are equal whatever the order."""
    if isinstance(value, dict):
        return [(name, _order(inner)) for name, inner in value.items()]
    return [_order(item) for item in value] if isinstance(value, list) else None
