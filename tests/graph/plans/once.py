"""Mutations that are performed once, though they are asked twice: both ways of answering have the same to answer.

The first time a mutation is performed; what it was given and what came of it is kept. The second time it must be given
the same, and the same comes of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from graphql import GraphQLSchema

from graph.resolving import Function, declared_of, direct_of

_DIRECT: Final = "laurel-direct"


class GivenOtherwise(Exception):
    """A mutation was given something else the second time."""


class Once:
    """Performs mutations, and gives what came of the last one ``again``."""

    def __init__(self) -> None:
        self.again = False
        self.performed = 0
        self._given: dict[str, Any] = {}
        self._value: Any = None
        self._error: Exception | None = None

    @contextmanager
    def installed(self, schema: GraphQLSchema) -> Iterator[None]:
        """Let the mutations of a schema be performed so, whoever calls their resolvers: Strawberry or a plan."""
        assert schema.mutation_type is not None
        before = []
        for field in schema.mutation_type.fields.values():
            declared, direct = declared_of(field), direct_of(field)
            assert declared is not None
            assert declared.base_resolver is not None
            assert isinstance(direct, Function)
            before.append((field, declared.base_resolver, direct, declared.base_resolver.wrapped_func))
            performing = self._performing(direct.function)
            field.extensions[_DIRECT] = direct._replace(function=performing)
            declared.base_resolver.wrapped_func = performing
        try:
            yield
        finally:
            for field, resolver, direct, function in before:
                field.extensions[_DIRECT], resolver.wrapped_func = direct, function

    def _performing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def perform(*parent: Any, info: Any, **arguments: Any) -> Any:
            if self.again:
                if arguments != self._given:
                    raise GivenOtherwise(f"{arguments} and not {self._given}")
            else:
                self.performed += 1
                self._given, self._value, self._error = arguments, None, None
                try:
                    self._value = await function(*parent, info=info, **arguments)
                except Exception as error:
                    self._error = error
            if self._error is not None:
                raise self._error
            return self._value

        return perform
