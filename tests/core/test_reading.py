"""Documents are read beside everything else, each once, whoever asks."""

import asyncio
import threading
from functools import partial

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import Programme, load_programme
from core.rulebook.reading import KEPT, Reading

HEAD = "id: shop\ncurrency: CNY\ntimezone: UTC\n"


class Library:
    """Reads documents, and knows how often, in which threads, and how many at once."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.threads: set[int] = set()
        self._at_once = 0
        self.at_once_most = 0

    def __call__(self, document: str) -> Programme:
        self._at_once += 1
        self.at_once_most = max(self.at_once_most, self._at_once)
        self.read.append(document)
        self.threads.add(threading.get_ident())
        try:
            return load_programme(document, {})
        finally:
            self._at_once -= 1


async def test_a_document_is_read_once_for_all_who_ask_at_once_and_in_another_thread() -> None:
    library = Library()
    reading = Reading(library)

    programmes = await asyncio.gather(*(reading(HEAD) for _ in range(10)))

    assert {programme.id for programme in programmes} == {"shop"}
    assert library.read == [HEAD]
    assert threading.get_ident() not in library.threads


async def test_many_documents_are_read_one_after_another() -> None:
    library = Library()
    reading = Reading(library)

    await asyncio.gather(*(reading(f"{HEAD}name: shop {number}\n") for number in range(20)))

    assert (len(library.read), library.at_once_most) == (20, 1)


async def test_problems_are_kept_like_programmes() -> None:
    library = Library()
    reading = Reading(library)

    for _ in range(2):
        with pytest.raises(ProgrammeInvalid, match="name: must be a valid string"):
            await reading(f"{HEAD}name: 1\n")

    assert len(library.read) == 1


async def test_what_nobody_asked_for_lately_is_read_again() -> None:
    library = Library()
    reading = Reading(library)
    documents = [f"{HEAD}name: shop {number}\n" for number in range(KEPT + 1)]

    for document in (*documents[:KEPT], documents[0], documents[KEPT], documents[0], documents[1]):
        await reading(document)

    assert library.read == [*documents, documents[1]]


async def test_others_go_on_while_one_of_the_largest_documents_is_read() -> None:
    words = "".join(f"  list{number}: [{', '.join(f'word{one}' for one in range(250))}]\n" for number in range(100))
    reading = Reading(partial(load_programme, channels={}))
    turns, task = 0, asyncio.create_task(reading(f"{HEAD}lists:\n{words}"))

    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1

    assert len((await task).lists) == 100
    assert turns > 20  # where it is read in between, a single one
