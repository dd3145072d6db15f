"""Each rule that a plan keeps is taken away, one at a time, and random documents must notice.

What is taken away is taken from what is compiled, or from how it is run; graphql-core is left as it is.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from inspect import unwrap
from typing import Any

import pytest
from graphql import GraphQLEnumType, is_abstract_type, is_specified_scalar_type, type_from_ast
from graphql.execution import collect_fields as collecting

from graph.plans import plan as plan_module
from graph.plans import planner, run, values
from graph.resolving import Function
from tests.graph.plans import differing, test_plan
from tests.graph.plans.differing import differ
from tests.graph.plans.random_shop import Filled

DOCUMENTS = 3_000
"""How many are asked at most, until one is answered in two ways."""

plan: Any = plan_module
"""The compiler, whose names are exchanged here."""
Sabotage = Callable[[pytest.MonkeyPatch], None]


class Rewritten:
    """Another text of the functions of plans."""

    def __init__(self, pattern: str, instead: str) -> None:
        self._pattern = re.compile(pattern, re.MULTILINE)
        self._instead = instead
        self.times = 0

    def __call__(self, patch: pytest.MonkeyPatch) -> None:
        def other(text: str, name: str, mode: str) -> Any:
            text, times = self._pattern.subn(self._instead, text)
            self.times += times
            return compile(text, name, mode)

        patch.setattr(plan, "compile", other, raising=False)


# -- what is collected ----------------------------------------------------------------------------------


def _collecting_otherwise(patch: pytest.MonkeyPatch, name: str, instead: Callable[..., Any]) -> None:
    """Have plans, and nobody else, collect fields with another function of graphql-core's for one."""
    real, inside = getattr(collecting, name), 0

    @contextmanager
    def a_plan_asks() -> Iterator[None]:
        nonlocal inside
        inside += 1
        try:
            yield
        finally:
            inside -= 1

    def one(*given: Any) -> Any:
        return instead(real, *given) if inside else real(*given)

    def asking(function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            with a_plan_asks():
                return function(*given)

        return ask

    patch.setattr(collecting, name, one)
    for each in ("collect_fields", "collect_subfields"):
        patch.setattr(plan, each, asking(getattr(plan, each)))


def without_fragments_on_abstract_types(patch: pytest.MonkeyPatch) -> None:
    def match(real: Any, schema: Any, fragment: Any, kind: Any) -> bool:
        on = fragment.type_condition
        return real(schema, fragment, kind) and not (on and is_abstract_type(type_from_ast(schema, on)))

    _collecting_otherwise(patch, "does_fragment_condition_match", match)


def with_fragments_of_any_type(patch: pytest.MonkeyPatch) -> None:
    def match(real: Any, schema: Any, fragment: Any, kind: Any) -> bool:
        if real(schema, fragment, kind):
            return True
        selected = [one.name.value for one in fragment.selection_set.selections if hasattr(one, "name")]
        return set(selected) <= {"__typename", *kind.fields}

    _collecting_otherwise(patch, "does_fragment_condition_match", match)


def without_conditions(patch: pytest.MonkeyPatch) -> None:
    _collecting_otherwise(patch, "should_include_node", lambda *_: True)


def without_aliases(patch: pytest.MonkeyPatch) -> None:
    _collecting_otherwise(patch, "get_field_entry_key", lambda real, node: node.name.value)


def without_merging(patch: pytest.MonkeyPatch) -> None:
    collect = plan.collect_subfields
    patch.setattr(plan, "collect_subfields", lambda *given: collect(*given[:5], given[5][:1], *given[6:]))


def with_one_plan_for_all_conditions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(planner, "map", lambda *_: (), raising=False)  # the part of the key that they are


# -- leaves ----------------------------------------------------------------------------------------------


def _leaf(patch: pytest.MonkeyPatch, of: Callable[[Any], bool], write: Callable[[Any], Any]) -> None:
    real = plan.leaf

    def leaf(kind: Any, *, required: bool) -> Any:
        written = real(kind, required=required)
        return (lambda value, run: None if value is None else write(value)) if of(kind) else written

    patch.setattr(plan, "leaf", leaf)


def without_enums(patch: pytest.MonkeyPatch) -> None:
    def write(value: Any) -> Any:
        return value.name if isinstance(value, Enum) else str(value)

    _leaf(patch, lambda kind: isinstance(kind, GraphQLEnumType), write)


def without_scalars_of_our_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "at_once", lambda *_: None)
    _leaf(patch, lambda kind: not isinstance(kind, GraphQLEnumType) and not is_specified_scalar_type(kind), str)


def with_null_for_any_leaf(patch: pytest.MonkeyPatch) -> None:
    real = plan.leaf
    patch.setattr(plan, "leaf", lambda kind, required: real(kind, required=False))


def without_looking_at_values(patch: pytest.MonkeyPatch) -> None:
    for module in (plan, values):
        patch.setattr(module, "look_at", lambda value: None)


# -- arguments ----------------------------------------------------------------------------------------------


def without_defaults_of_arguments(patch: pytest.MonkeyPatch) -> None:
    values_of = plan.get_argument_values

    def given(field: Any, node: Any, *more: Any) -> dict[str, Any]:
        names = {argument.name.value for argument in node.arguments}
        of: dict[str, Any] = values_of(field, node, *more)
        # Resolvers have the same defaults, so that they'd have them nevertheless.
        return of | {argument.out_name or name: None for name, argument in field.args.items() if name not in names}

    patch.setattr(plan, "get_argument_values", given)


def with_variables_of_the_plan(patch: pytest.MonkeyPatch) -> None:
    real = plan.Plan.arguments

    def arguments(self: Any, run: Any, number: int) -> dict[str, Any]:
        run.variables = self._variables
        found: dict[str, Any] = real(self, run, number)
        return found

    patch.setattr(plan.Plan, "arguments", arguments)


# -- errors, and who may ask -------------------------------------------------------------------------------


def without_permissions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(differing, "FAULTY", 0)
    real = plan.direct_of

    def bare(field: Any) -> Any:
        direct = real(field)
        return direct._replace(function=unwrap(direct.function)) if isinstance(direct, Function) else direct

    patch.setattr(plan, "direct_of", bare)


def without_errors_of_coroutines(patch: pytest.MonkeyPatch) -> None:
    step = run.Run._step

    def lenient(self: Any, waiting: Any) -> None:
        try:
            step(self, waiting)
        except Exception:
            waiting.answer[waiting.name] = None

    patch.setattr(run.Run, "_step", lenient)


IN_ANY = r"^( *)(found = .+)$"
RULES: dict[str, Sabotage] = {
    "null propagation of objects and lists": Rewritten(r"raise Surprise\('null'\)", "return None"),
    "null propagation of leaves": with_null_for_any_leaf,
    "errors of coroutines": without_errors_of_coroutines,
    "errors of resolvers": Rewritten(IN_ANY, r"\1try: \2\n\1except Exception: found = None"),
    "errors are masked": Rewritten(IN_ANY, r"\1try: \2\n\1except Exception as error: found = str(error)"),
    "list completion": Rewritten(r"raise Surprise\('no list'\)", "value = list(value)"),
    "errors and awaitables that are values": without_looking_at_values,
    "types of objects": Rewritten(r"raise Surprise\('no \w+'\)", "pass"),
    "the range of numbers": Rewritten(r" and -\d+ <= (found) <= \d+", ""),
    "enums": without_enums,
    "custom scalars": without_scalars_of_our_own,
    "defaults of arguments": without_defaults_of_arguments,
    "variables": with_variables_of_the_plan,
    "fragments on interfaces and unions": without_fragments_on_abstract_types,
    "fragments on other types": with_fragments_of_any_type,
    "aliases": without_aliases,
    "fields asked for twice": without_merging,
    "conditions": without_conditions,
    "conditions in the key of a plan": with_one_plan_for_all_conditions,
    "__typename": Rewritten(r"^( *answer\['\w+'\] = )'\w+'$", r"\1'Query'"),
    "the order of fields": Rewritten(r"^( *)answer\['\w+'\] = None$", r"\1pass"),
    "permissions": without_permissions,
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", RULES)
async def test_a_rule_that_is_taken_away_is_missed(filled: Filled, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    sabotage = RULES[rule]
    sabotage(monkeypatch)
    found = await differ(filled, range(DOCUMENTS), until_wrong=True)

    print(rule, found.counted)
    assert found.wrong
    assert not isinstance(sabotage, Rewritten) or sabotage.times


# -- what no answer tells ------------------------------------------------------------------------------------


def one_after_the_other(patch: pytest.MonkeyPatch) -> None:
    left: list[tuple[Any, ...]] = []

    async def finish(self: Any) -> None:
        while left:
            awaitable, complete, answer, name = left.pop(0)
            answer[name] = complete(await awaitable, self)

    patch.setattr(run.Run, "wait", lambda self, *waiting: left.append(waiting))
    patch.setattr(run.Run, "finish", finish)


def with_arguments_of_the_run_before(patch: pytest.MonkeyPatch) -> None:
    kept: dict[Any, Any] = {}
    real = plan.Plan.arguments
    patch.setattr(
        plan.Plan, "arguments", lambda self, run, number: kept.setdefault((id(self), number), real(self, run, number))
    )


@pytest.mark.parametrize(
    ("sabotage", "check"),
    [
        (one_after_the_other, test_plan.test_what_waits_waits_together),
        (with_arguments_of_the_run_before, test_plan.test_a_plan_is_run_with_other_variables),
    ],
    ids=["awaited together", "arguments of each run"],
)
async def test_a_rule_that_no_answer_shows_is_missed_by_its_test(
    monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, check: Callable[[], Awaitable[None]]
) -> None:
    sabotage(monkeypatch)
    with pytest.raises(AssertionError):
        await check()
