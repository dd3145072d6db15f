"""The programmes that Laurel brings along: examples/programmes of the repository, and a package of the wheel."""

from pathlib import Path
from typing import Final

from core.errors import LaurelError
from core.suggest import did_you_mean

_ROOT: Final = Path(__file__).parents[2]
_PLACES: Final = (_ROOT / "examples" / "programmes", _ROOT / "programmes")


class NoSuchProgramme(LaurelError):
    """No programme of that name is brought along."""


def shipped() -> dict[str, Path]:
    """The programmes by name."""
    folder = next((place for place in _PLACES if (place / "first-shop.yaml").is_file()), _PLACES[0])
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_shipped(name: str) -> str:
    """The document of a programme by its name. Raises NoSuchProgramme."""
    there = shipped()
    if name not in there:
        raise NoSuchProgramme(f"no programme {name!r}{did_you_mean(name, there)}; laurel init --list names them all")
    return there[name].read_text(encoding="utf-8")


def said_of(path: Path) -> str:
    """What a programme is, in the words that it begins with: its first sentence.

    >>> said_of(shipped()["coffee-shop"])
    'A coffee shop: ten points a cup, more for coming every day and for bringing friends, kept for nine months.'
    """
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    sentence, stop, _ = " ".join(words).partition(". ")
    return sentence + stop.rstrip()
