"""docs/events.md lists every event that is told outside, as the code declares it."""

from pathlib import Path
from typing import Any, Final

from core.telling.event_types import EventType
from plugins.manager import load_plugins

PAGE: Final = Path(__file__).parents[1] / "docs" / "events.md"


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text()
    head, _, _ = text.partition("\n## ")
    return "\n".join([head.rstrip(), *(_section(kind) for _, kind in sorted(load_plugins().event_types.items()))])


def _section(kind: EventType) -> str:
    schema = kind.schema()
    rows = [f"| `{name}` | {_type(field, schema)} | {field['description']} |" for name, field in _properties(schema)]
    table = ["", "| `data` | type | what it says |", "|---|---|---|", *rows] if rows else ["", "`data` is empty."]
    return "\n".join(["", f"## {kind.name}", "", f"{kind.description} Version {kind.version}.", *table])


def _properties(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, field in schema.get("properties", {}).items():
        found.append((name, field))
        inner = field.get("items", {}).get("$ref", "").rpartition("/")[2]
        if inner:
            found += [(f"{name}[].{deeper}", of) for deeper, of in _properties(schema["$defs"][inner])]
    return found


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    match field:
        case {"anyOf": [first, {"type": "null"}]}:
            return f"{_type(first, schema)} or null"
        case {"type": "array", "items": {"$ref": _}}:
            return "list of objects"
        case {"type": "array", "items": inner}:
            return f"list of {_type(inner, schema)}"
        case {"type": "object", "additionalProperties": inner}:
            return f"object of {_type(inner, schema)}"
        case {"type": "string", "format": "date-time"}:
            return "instant"
        case {"type": "string", "format": "date"}:
            return "day"
        case {"type": kind}:
            return str(kind)
        case _:
            raise TypeError(f"{field} cannot be told in a line")


def test_the_page_of_events_is_what_the_code_declares() -> None:
    assert PAGE.read_text() == page() + "\n", "print it anew: python -m tests.test_events"


if __name__ == "__main__":
    PAGE.write_text(page() + "\n")
