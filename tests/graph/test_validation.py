from typing import Any

import pytest
from graphql import ASTValidationRule, DocumentNode, TypeInfo, ValidationContext, specified_rules
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from graph.one_of import OneOfRule
from graph.schema import build_schema
from graph.validation import knowing
from plugins.manager import Plugins

RULES = [*specified_rules, MaybeNullValidationRule, OneOfRule]


@pytest.fixture(scope="module")
def context() -> ValidationContext:
    schema = build_schema(Plugins()).core
    return ValidationContext(schema, DocumentNode(), TypeInfo(schema), list[Any]().append)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_that_knows_handles_the_nodes_it_did(context: ValidationContext, rule: type[ASTValidationRule]) -> None:
    def handlers(visitor: ASTValidationRule) -> dict[str, list[Any]]:
        found = {kind: visitor.get_enter_leave_for_kind(kind) for kind in QUERY_DOCUMENT_KEYS}
        return {kind: [getattr(handler, "__func__", handler) for handler in both] for kind, both in found.items()}

    expected = handlers(rule(context))
    assert handlers(knowing(rule)(context)) == expected
    assert any(any(both) for both in expected.values())
