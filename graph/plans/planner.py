"""Which plan an operation has, and when it has none."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from weakref import ref

from graphql import (
    ExecutableDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues

from graph.context import Context
from graph.plans.plan import Plan, TooLong, Unplanned
from graph.plans.run import Surprise

log = logging.getLogger("laurel.graph")

PLANS_MAX: Final = 16
"""Plans of one document: one for each of its operations and of what its conditions leave out."""
FIELDS_KEPT_MAX: Final = 50_000
"""Fields of all plans of a server, which take some 2 kB each; those used longest ago are forgotten."""
SURPRISES_MAX: Final = 8
"""Answers in a row that a plan may begin in vain before it rests."""
RESTS: Final = 64
"""Answers that graphql-core gives then, until the plan is tried again: what surprises it may be one client's values."""
_CONDITIONS: Final = frozenset({GraphQLSkipDirective.name, GraphQLIncludeDirective.name})


class Planner:
    """Answers queries and mutations of one schema by plans, and leaves the rest to graphql-core."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        # Those used longest ago in front, with their fields; a document that is forgotten takes its plans along.
        self._kept: OrderedDict[ref[_Kept], int] = OrderedDict()
        self._fields = 0

    async def answer(
        self, plans: "Plans", operation: OperationDefinitionNode, variables: VariableValues, context: Context
    ) -> dict[str, Any] | None:
        """The answer; None when graphql-core is to give it. Raises Surprise when it is to after all.

        What a mutation has done by then the Surprise knows; it is graphql-core's to answer, and not to do again.
        """
        kept = plans.find(self._schema, operation, variables)
        if kept is None or kept.plan is None:
            return None
        if kept.rests:
            kept.rests -= 1
            return None
        plan = kept.plan
        self._keep(kept, plan)
        try:
            answer = await plan.run(context, variables)
        except Surprise as surprise:
            kept.surprises += 1
            if kept.surprises >= SURPRISES_MAX:
                log.info("a plan rests: %s", surprise)
                kept.rests = RESTS
            raise
        kept.surprises = 0
        return answer

    def _keep(self, kept: "_Kept", plan: Plan) -> None:
        """Count a plan that is used, which grows with the kinds of objects that come along, and forget others."""
        if kept.known_by is None:
            kept.known_by = ref(kept, self._forget)
        this, size = kept.known_by, plan.size
        if (known := self._kept.get(this)) != size:
            self._fields += size - (known or 0)
            self._kept[this] = size
        self._kept.move_to_end(this)
        while self._fields > FIELDS_KEPT_MAX:
            oldest = next(iter(self._kept))
            self._forget(oldest)
            if (left := oldest()) is not None:
                left.plan, left.wanted = None, True

    def _forget(self, kept: "ref[_Kept]") -> None:
        self._fields -= self._kept.pop(kept, 0)


class Plans:
    """The plans of one document; they live as long as it is kept.

    Nothing is compiled of a document that is executed for the first time, as perhaps nobody asks it again.
    """

    __slots__ = ("_asked", "_by_key", "_conditions", "_definitions", "_fragments")

    def __init__(self, operations: Iterable[OperationDefinitionNode], fragments: Mapping[str, FragmentDetails]) -> None:
        self._fragments = fragments
        self._definitions = (*operations, *(details.definition for details in fragments.values()))
        self._conditions: tuple[str, ...] | None = None
        self._by_key: dict[object, _Kept] = {}
        self._asked = False

    def find(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, variables: VariableValues
    ) -> "_Kept | None":
        """The plan for an operation with these variables, if there is to be one."""
        if operation.operation is OperationType.SUBSCRIPTION:
            return None
        if not self._asked:
            self._asked = True
            return None
        if self._conditions is None:
            self._conditions = tuple(sorted(set(_conditions(self._definitions))))
        # Null is no condition, though a nullable variable may be, and it is graphql-core that says so.
        key = (id(operation), *map(variables.coerced.get, self._conditions))
        kept = self._by_key.get(key)
        if kept is None and len(self._by_key) < PLANS_MAX:
            kept = self._by_key[key] = _Kept()
        if kept is not None and kept.wanted:
            # Without the others, which may be long, and are somebody's.
            known = VariableValues(*({n: of[n] for n in self._conditions if n in of} for of in variables))
            kept.plan, kept.wanted = _plan(schema, self._fragments, operation, known), False
        return kept


class _Kept:
    """A plan, or that there is none; how often in a row it was surprised, and how long it rests for that.

    ``wanted`` is one to be compiled.
    """

    __slots__ = ("__weakref__", "known_by", "plan", "rests", "surprises", "wanted")

    def __init__(self) -> None:
        self.known_by: ref[_Kept] | None = None
        """By what the planner counts it."""
        self.plan: Plan | None = None
        self.wanted = True
        self.rests = 0
        self.surprises = 0


def _plan(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDetails],
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> Plan | None:
    try:
        return Plan(schema, fragments, operation, variables)
    except (TooLong, Unplanned, RecursionError, GraphQLError):
        return None
    except Exception:
        # Whatever a plan cannot be made of, graphql-core has an answer to it.
        log.exception("an operation could not be compiled")
        return None


def _conditions(definitions: Iterable[ExecutableDefinitionNode]) -> Iterator[str]:
    """The variables that decide what is left out."""
    waiting: list[Any] = list(definitions)
    while waiting:
        node = waiting.pop()
        for directive in node.directives or ():
            if directive.name.value in _CONDITIONS:
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        yield argument.value.name.value
        if not isinstance(node, FragmentSpreadNode) and node.selection_set is not None:
            waiting.extend(node.selection_set.selections)
