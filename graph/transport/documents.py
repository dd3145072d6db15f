"""Documents that have been parsed and validated, kept by their text for the next request that sends it.

A document that fails is not kept, and one that was asked for once does not push out one that was asked for twice:
nobody can empty the store by sending what nobody will ask again.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, parse, validate
from graphql.execution.collect_fields import FragmentDetails
from graphql.language import DocumentNode

from graph.limits.checks import Limits, Priced
from graph.plans import Plans
from graph.schema import LaurelSchema
from graph.transport.failures import DocumentFailed, Failure, RequestFailed, document_failed
from graph.transport.requests import Asked
from graph.transport.trusted import PREFIX, digest_of
from graph.transport.variables import Variables

log = logging.getLogger("laurel.graph")

SUGGESTED_MAX: Final = 10_000
"""Characters of a document up to which a misspelt name is compared with all that there are."""
ERRORS_MAX: Final = 10
"""Mistakes of a document that are told; of what is rubbish nobody reads more."""
WORDS_MAX: Final = 1_000
"""Words of a document up to which so many are told, of a longer one the first: each may print the whole argument."""
KEPT_MAX: Final = 512
_CHARACTERS_MAX: Final = 250_000
"""Characters of all documents of one age: the tree of a dense document takes some 190 bytes for each."""


class Document:
    """A document that fits the schema. ``operations`` are by name; the name of an unnamed one is empty."""

    __slots__ = ("details", "fragments", "operations", "plans", "priced", "sha256", "source", "tree", "variables")

    def __init__(self, source: str, tree: DocumentNode) -> None:
        self.source = source
        self.sha256 = digest_of(source)
        self.tree = tree
        self.operations: dict[str, OperationDefinitionNode] = {}
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.priced: Mapping[str, Priced] = {}
        for node in tree.definitions:
            if isinstance(node, OperationDefinitionNode):
                self.operations[node.name.value if node.name else ""] = node
            elif isinstance(node, FragmentDefinitionNode):
                self.fragments[node.name.value] = node
        # As the executor wants them.
        self.details = {name: FragmentDetails(node) for name, node in self.fragments.items()}
        self.plans = Plans(self.operations.values(), self.details)
        self.variables = {name: Variables() for name in self.operations}

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises RequestFailed unless it is clear which one is meant."""
        if name:
            found = self.operations.get(name)
            if found is None:
                raise RequestFailed(Failure.OPERATION_RESOLUTION_FAILURE, "the document has no operation of that name")
            return found
        if len(self.operations) != 1:
            reason = "operationName must say which of the operations to run"
            if not self.operations:
                reason = "the document has no operation"
            raise RequestFailed(Failure.OPERATION_RESOLUTION_FAILURE, reason)
        (only,) = self.operations.values()
        return only


class _Shelf:
    """Documents of one age, those used longest ago in front, bounded by their number and their length."""

    def __init__(self) -> None:
        self.by_text: OrderedDict[str, Document] = OrderedDict()
        self.characters = 0

    def put(self, document: Document) -> list[Document]:
        """Keep a document; those that had to go."""
        self.by_text[document.source] = document
        self.characters += len(document.source)
        gone = []
        while len(self.by_text) > KEPT_MAX or self.characters > _CHARACTERS_MAX:
            gone.append(self.take(next(iter(self.by_text))))
        return gone

    def take(self, text: str) -> Document:
        document = self.by_text.pop(text)
        self.characters -= len(text)
        return document


class Documents:
    """The documents of one schema.

    ``trusted`` are texts by their ids, and so are those ``of_pages``, which may ask for what a plugin offers that is
    left out. ``only_trusted`` executes no others.
    """

    def __init__(
        self,
        schema: LaurelSchema,
        limits: Limits,
        trusted: Mapping[str, str] | None = None,
        *,
        of_pages: Mapping[str, str] | None = None,
        only_trusted: bool = False,
    ) -> None:
        self._schema = schema
        self._limits = limits
        trusted = trusted or {}
        self._trusted = {**(of_pages or {}), **trusted}
        self._trusted_texts = frozenset(self._trusted.values())
        self._only_trusted = only_trusted
        self._trusted_documents = {text: document for text in trusted.values() if (document := self._fit(text))}
        self._once = _Shelf()
        self._often = _Shelf()
        self._by_digest: dict[str, Document] = {}

    def find(self, asked: Asked, *, suggests: bool = True) -> Document:
        """The document that a request sends or names. Raises RequestFailed.

        ``suggests`` says what a misspelt name was perhaps meant to be, which tells of the schema.
        """
        if asked.document_id:
            return self._named(asked.document_id)
        if not asked.query:
            return self._named(PREFIX + asked.digest)
        if asked.digest and asked.digest != digest_of(asked.query):
            raise RequestFailed(Failure.PERSISTED_QUERY_HASH_MISMATCH, "provided sha does not match query")
        if self._only_trusted and asked.query not in self._trusted_texts:
            if asked.digest:
                # Clients know this text, and give up asking by hash.
                raise RequestFailed(Failure.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
            raise RequestFailed(Failure.DOCUMENT_NOT_TRUSTED, "only trusted documents are executed")
        return self.read(asked.query, suggests=suggests)

    def read(self, text: str, *, suggests: bool = True) -> Document:
        """The document of a text. Raises RequestFailed when it cannot be executed."""
        found = self._trusted_documents.get(text)
        if found is not None:
            return found
        found = self._often.by_text.get(text)
        if found is not None:
            self._often.by_text.move_to_end(text)
            return found
        if text in self._once.by_text:
            document = self._once.take(text)
            gone = self._often.put(document)
        else:
            document = self.check(text, suggests=suggests)
            self._by_digest[document.sha256] = document
            gone = self._once.put(document)
        for old in gone:
            self._by_digest.pop(old.sha256, None)
        return document

    def _named(self, id: str) -> Document:
        """A trusted document by its id, or one that is kept by the hash of its text. Raises RequestFailed."""
        digest = id.removeprefix(PREFIX) if id.startswith(PREFIX) else ""
        text = self._trusted.get(id) or self._trusted.get(digest)
        if text is None and not self._only_trusted and digest in self._by_digest:
            text = self._by_digest[digest].source
        if text is None:
            # Clients know this text, and send the document with its hash.
            raise RequestFailed(Failure.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        return self.read(text)

    def _fit(self, text: str) -> Document | None:
        """A trusted document; None if it does not fit the schema, of which those who send it are told."""
        try:
            return self.check(text)
        except RequestFailed as failed:
            log.warning("the trusted document %s cannot be executed: %s", digest_of(text), failed)
            return None

    def check(self, text: str, *, suggests: bool = True) -> Document:
        """Parse and validate a text, and keep nothing. Raises RequestFailed."""
        longest = self._limits.bounds.source_max
        if len(text) > longest:
            raise RequestFailed(Failure.DOCUMENT_TOO_LARGE, f"the document is longer than {longest} characters")
        long = self._limits.check_words(text) > WORDS_MAX
        try:
            tree = parse(text, max_tokens=self._limits.bounds.tokens_max)
        except GraphQLError as error:
            raise document_failed([error]) from None
        self._limits.check_shape(tree)
        try:
            hidden = not suggests or len(text) > SUGGESTED_MAX
            most = 1 if long else ERRORS_MAX
            errors = validate(self._schema.core, tree, self._schema.rules, most, hide_suggestions=hidden)
        except RecursionError:
            errors = [GraphQLError("the document is nested too deeply")]
        if errors:
            raise DocumentFailed(Failure.GRAPHQL_VALIDATION_FAILED, errors)
        document = Document(text, tree)
        document.priced = self._limits.price(document.operations, document.fragments)
        return document
