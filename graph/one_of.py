"""Which variables may be the one field of an input: Strawberry's rule, for fragments as well."""

from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, ObjectValueNode, OperationDefinitionNode, VariableNode
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule


class OneOfRule(OneOfInputValidationRule):
    """Looks a fragment's variables up in the operations that spread it, wherever these stand.

    Strawberry's looks in the operation before it, and fails where there is none, or where nobody declares the variable.
    """

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        self._operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        declared = [
            variable
            for operation in self._operations
            if node in self.context.get_recursively_referenced_fragments(operation)
            for variable in operation.variable_definitions or ()
        ]
        # Where several operations declare one, the one that may be null counts.
        declared.sort(key=lambda variable: variable.type.kind != "non_null_type")
        self.variable_definitions = {variable.variable.name.value: variable for variable in declared}

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> None:
        given = (field.value for field in node.fields)
        if all(value.name.value in self.variable_definitions for value in given if isinstance(value, VariableNode)):
            super().enter_object_value(node)
