"""A coroutine that is begun and gone on with ends as one that is awaited."""

import asyncio
from collections.abc import Awaitable

from graph.at_once import Done, at_once


async def ends(waited_for: Awaitable[None], tidied: list[str]) -> str:
    """Takes what goes wrong where it waits first, and waits once more to tidy up."""
    try:
        await waited_for
    except (LookupError, TimeoutError) as error:
        return type(error).__name__
    finally:
        await asyncio.sleep(0)
        tidied.append("tidied")
    return "nothing"


async def too_long() -> None:
    async with asyncio.timeout(0.01):
        await asyncio.Event().wait()


async def test_what_fails_where_it_waits_first_reaches_the_coroutine() -> None:
    tidied: list[str] = []
    failing = asyncio.get_running_loop().create_future()
    begun = at_once(ends(failing, tidied))
    assert not isinstance(begun, Done)
    asyncio.get_running_loop().call_soon(failing.set_exception, LookupError())
    assert await begun == "LookupError"
    assert tidied == ["tidied"]


async def test_a_timeout_of_its_own_ends_what_it_waits_for_and_not_its_task() -> None:
    tidied: list[str] = []
    begun = at_once(ends(too_long(), tidied))
    assert not isinstance(begun, Done)
    assert await begun == "TimeoutError"
    assert tidied == ["tidied"]


async def test_it_tidies_up_when_its_task_is_cancelled() -> None:
    tidied: list[str] = []

    async def await_it() -> None:
        begun = at_once(ends(asyncio.sleep(60), tidied))
        assert not isinstance(begun, Done)
        await begun

    task = asyncio.create_task(await_it())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert tidied == ["tidied"]
