"""Documents that the brand's own clients and Laurel's pages were built with, read from their manifests at the start.

Three forms are read: a persisted query manifest of Apollo, and the objects of texts by id that relay-compiler and
graphql-codegen write. A folder stands for all its ``.json`` files, one for each release of a client that is still used.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from graph.built_page import DOCUMENTS, STATIC
from graph.settings import Settings, SettingsInvalid

PREFIX: Final = "sha256:"
"""What stands before the hash where the id of a document is one (GraphQL over HTTP, persisted documents)."""
_APOLLO: Final = "apollo-persisted-query-manifest"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def read_manifests(path: str) -> dict[str, str]:
    """The texts of all documents of a manifest, or of a folder of them, by id.

    Raises SettingsInvalid when there is none, when one is in no known form, when an id that is a SHA-256 is not that of
    its text, and when an id stands for two texts.
    """
    place = Path(path)
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    texts: dict[str, str] = {}
    for file in files:
        for id, text in _documents(file, _read(file)):
            digest = id.removeprefix(PREFIX)
            if _DIGEST.fullmatch(digest) and digest != digest_of(text):
                raise SettingsInvalid(f"{file}: {id} is not the SHA-256 of its document")
            if texts.setdefault(id, text) != text:
                raise SettingsInvalid(f"{file}: {id} stands for two documents")
    if not texts:
        raise SettingsInvalid(f"LAUREL_TRUSTED_DOCUMENTS: {path} has no document")
    return texts


def documents_of_pages(settings: Settings) -> dict[str, str]:
    """What the pages ask that this server gives out, by the SHA-256 of it. GraphiQL asks what is typed into it."""
    pages = ["dashboard", *(["centre"] if settings.serves_centre else [])]
    return {id: text for page in pages for id, text in read_manifests(str(STATIC / page / DOCUMENTS)).items()}


def digest_of(text: str) -> str:
    """The SHA-256 of a text as clients write it."""
    return sha256(text.encode()).hexdigest()


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise SettingsInvalid(f"{file} cannot be read: {error}") from error


def _documents(file: Path, manifest: Any) -> Iterator[tuple[str, str]]:
    match manifest:
        case {"format": str(form), "version": version, "operations": list(operations)}:
            if (form, version) != (_APOLLO, 1):
                raise SettingsInvalid(f"{file} is {form}, version {version}; {_APOLLO}, version 1, is read")
            pairs = [(one.get("id"), one.get("body")) if isinstance(one, dict) else (None, None) for one in operations]
        case Mapping():
            pairs = list(manifest.items())
        case _:
            raise SettingsInvalid(f"{file} is no manifest of documents by their ids")
    for id, text in pairs:
        if not isinstance(id, str) or not isinstance(text, str):
            raise SettingsInvalid(f"{file}: every document has an id and a text")
        yield id, text
