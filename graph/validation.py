"""Rules that documents are validated by, as classes that know which nodes they look at.

For each kind of node that a document has, graphql-core asks each of some thirty rules, made anew for each document,
whether it looks at nodes of that kind: a handler that is not there is looked for in four ways, and found missing. That
was half of the time that it takes to validate a document.
"""

from typing import Final

from graphql import ASTValidationRule
from graphql.language.visitor import EnterLeaveVisitor

_NEITHER: Final = EnterLeaveVisitor(None, None)


def knowing(rule: type[ASTValidationRule]) -> type[ASTValidationRule]:
    """A rule that does the same and knows without looking at which nodes it does nothing.

    >>> from graphql import UniqueOperationNamesRule
    >>> knowing(UniqueOperationNamesRule).__name__
    'UniqueOperationNamesRule'
    """
    if hasattr(rule, "enter") or hasattr(rule, "leave"):
        return rule  # looks at all
    looked_at = frozenset(name.partition("_")[2] for name in dir(rule) if name.startswith(("enter_", "leave_")))

    def get_enter_leave_for_kind(self: ASTValidationRule, kind: str) -> EnterLeaveVisitor:
        return rule.get_enter_leave_for_kind(self, kind) if kind in looked_at else _NEITHER

    return type(rule.__name__, (rule,), {"get_enter_leave_for_kind": get_enter_leave_for_kind})
