"""Whatever bytes come in at the port: nothing waits for ever, nothing is kept without bound, nothing is a traceback."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.testing import Shop, open_shop
from graph.transport import connections
from graph.transport.connections import HEAD_BYTES_MAX
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.conftest import PROGRAMME
from tests.serving import served

QUERY = b'{"query":"{ __typename }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


@pytest.fixture
async def port(shop: Shop) -> AsyncIterator[int]:
    """Where the shop listens."""
    async with served(shop.app) as address:
        yield int(address.rpartition(":")[2])


async def sent(port: int, data: bytes) -> bytes:
    """All that is answered to these bytes, after which nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""  # it was closed before all had been read
    finally:
        writer.close()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """All that comes, also where it ends by a reset, as it does when we wrote what nobody was there to read."""
    came = bytearray()
    with suppress(ConnectionResetError):
        while piece := await reader.read(HEAD_BYTES_MAX):
            came += piece
    return bytes(came)


async def told(port: int, frames: bytes) -> tuple[int, bytes]:
    """The first frame that is answered to these: its kind, and what it holds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE)
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        writer.write(frames)
        first, length = await reader.readexactly(2)
        payload = await reader.readexactly(length)
    writer.close()
    return first, payload


async def test_an_answer_goes_out_in_one_piece(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, written = connections.HttpConnection.connection_made, list[bytes]()

    def noted(connection: connections.HttpConnection, transport: asyncio.Transport) -> None:
        write = transport.write

        def write_noted(data: bytes) -> None:
            written.append(data)
            write(data)

        monkeypatch.setattr(transport, "write", write_noted)
        made(connection, transport)

    monkeypatch.setattr(connections.HttpConnection, "connection_made", noted)

    answer = await sent(port, GOOD)

    assert written == [answer]
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'"Query"}}')


async def still_answers(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD)
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_an_answer_says_its_length_and_that_nothing_follows(port: int, version: bytes) -> None:
    asked = GOOD.replace(b"HTTP/1.1\r\n", b"HTTP/%s\r\nConnection: close\r\n" % version)
    head, _, body = (await sent(port, asked)).partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    said = dict(field.split(b": ", 1) for field in fields)
    assert line == b"HTTP/1.1 200 OK"
    assert len(said) == len(fields)
    assert said[b"content-length"] == b"%d" % len(body)
    assert said[b"connection"] == b"close"
    assert said[b"cache-control"] == b"no-store"
    assert said[b"date"].endswith(b" GMT")


async def test_a_field_after_the_body_is_none_of_the_head(port: int) -> None:
    def asked(head: bytes, trailer: bytes) -> bytes:
        body = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(QUERY), QUERY, trailer)
        return HEAD + b"Transfer-Encoding: chunked\r\n" + head + b"\r\n" + body

    async def left(head: bytes, trailer: bytes = b"") -> int:
        answer = await sent(port, asked(head, trailer))
        found = re.search(rb"\r\nratelimit: [^\r]*?r=(\d+)", answer)
        assert found is not None, answer
        return int(found[1])

    ann, somebody = b"X-Forwarded-For: 192.0.2.1\r\n", b"X-Forwarded-For: 192.0.2.99\r\n"
    first = await left(ann)

    assert await left(ann, somebody) == first - 1
    assert await left(b"", somebody) == first
    assert await left(somebody) == first


async def test_a_client_behind_a_proxy_is_counted_by_their_own_address(port: int) -> None:
    async def left(forwarded: bytes) -> bytes:
        answer = await sent(port, GOOD.replace(b"Host: x\r\n", b"Host: x\r\n" + forwarded))
        found = re.search(rb"\r\nratelimit: [^\r]*?r=(\d+)", answer)
        assert found is not None, answer
        return found[1]

    ann, bob = b"X-Forwarded-For: 192.0.2.1\r\n", b"x-forwarded-for: 192.0.2.2, 127.0.0.1\r\n"
    first, once_more = await left(ann), await left(ann)
    of_another, of_nobody = await left(bob), await left(b"")

    assert int(once_more) < int(first)
    assert of_another == of_nobody == first


@pytest.mark.parametrize("begun", [b"", b"POST /gra", HEAD, GOOD + HEAD], ids=["nothing", "line", "head", "second"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)

    async with asyncio.timeout(60), asyncio.TaskGroup() as both:
        answering = both.create_task(until_closed(reader))
        for drop in b"xyz" if begun else b"":
            await asyncio.sleep(0.05)
            writer.write(bytes([drop]))
    writer.close()

    answer = answering.result()
    assert answer.count(b"HTTP/1.1 408 ") == 1
    assert b'"code":"REQUEST_TIMEOUT"' in answer


async def test_a_connection_that_waits_for_its_next_request_is_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(GOOD)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        await asyncio.sleep(0.3)
    writer.close()


@pytest.mark.parametrize(
    ("asked", "more"),
    [(GOOD, b""), (GOOD, b"\r\n"), (HEAD.replace(b"json", b"xml") + b"Content-Length: 9\r\n\r\n", b"<a>")],
    ids=["nothing", "line", "body"],
)
async def test_a_connection_is_not_kept_for_what_is_no_request(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, asked: bytes, more: bytes
) -> None:
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.3)
    async with served(shop.app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(asked)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 ")
        await asyncio.sleep(0.05)
        writer.write(more)
        async with asyncio.timeout(10):
            rest = await until_closed(reader)
        writer.close()

    assert b"HTTP/1.1" not in rest


@pytest.mark.parametrize(
    "head",
    [
        b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_BYTES_MAX + b"\r\n\r\n",
        b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\n" + b"X-Y: abc\r\n" * 10_000 + b"\r\n",
        b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300_000,
    ],
    ids=["long", "many", "endless"],
)
async def test_a_head_has_a_length(port: int, head: bytes) -> None:
    answer = await sent(port, head)

    # Of what is much too long the rest is not read, and who goes on sending may not hear why.
    if answer or len(head) < HEAD_BYTES_MAX + 1_000:
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"HEAD_TOO_LARGE"' in answer
    assert await still_answers(port)


@pytest.mark.parametrize("count", [1, 40])
async def test_a_body_that_is_longer_than_a_head_is_none(port: int, count: int) -> None:
    body = b'{"query":"{ __typename }"' + b" " * 10_000 * count + b"}"

    answer = await sent(port, HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_nor_is_one_with_which_the_next_head_begins(port: int) -> None:
    body = b'{"query":"{ __typename }"' + b" " * HEAD_BYTES_MAX + b"}"
    client = socket.create_connection(("127.0.0.1", port))
    # Without a turn for the server, which reads it as one piece.
    client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body + GOOD[:9])
    reader, writer = await asyncio.open_connection(sock=client)

    await asyncio.sleep(0.2)
    writer.write(GOOD[9:])
    writer.write_eof()
    async with asyncio.timeout(60):
        answers = await reader.read()
    writer.close()

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200"]


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A frame of a client, with the mask 0."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2) if length < 65_536 else None
    return bytes([first]) + (size or b"\xff" + length.to_bytes(8)) + bytes(4) + payload


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame(b"\xff\xfe"), 1007),
        (frame(b'{"type": "\xf0', 0x01) + frame(b'\xff"}', 0x80), 1007),
        (b"\x81\x05hello", 1002),
        (frame(b"hello", 0xF1), 1002),
        (frame(b"hello", 0x83), 1002),
        (frame(b"hello", 0x09), 1002),
        (frame(b"hello", 0x80), 1002),
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7, 1009),
        (frame(b"x" * 1_000_001), 1009),
        (frame(b"x" * 600_000, 0x01) + frame(b"x" * 600_000, 0x80), 1009),
        (frame(b"hello"), 4400),
        (frame(b"hello", 0x82), 4400),
    ],
    ids=[
        "utf8",
        "parts-of-utf8",
        "unmasked",
        "reserved",
        "opcode",
        "control",
        "continued",
        "8EB",
        "1MB",
        "parts",
        "text",
        "bytes",
    ],
)
async def test_a_frame_that_is_none_closes_the_socket_and_nothing_else(
    port: int, caplog: pytest.LogCaptureFixture, frames: bytes, code: int
) -> None:
    kind, payload = await told(port, frames)

    assert (kind, int.from_bytes(payload[:2])) == (0x88, code)
    assert await still_answers(port)
    assert caplog.records == []


async def test_a_connection_that_becomes_a_socket_is_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.3)
    async with served(shop.app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        async with asyncio.timeout(60):
            writer.write(GOOD)
            await reader.readuntil(b"}}")
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.6)
            writer.write(frame(b'{"type":"connection_init"}'))
            first, length = await reader.readexactly(2)
            payload = await reader.readexactly(length)
        writer.close()

    assert (first, b"connection_ack" in payload) == (0x81, True)


async def test_frames_are_not_compressed(port: int) -> None:
    offer = UPGRADE.replace(b"Host: x\r\n", b"Host: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")

    answer = await sent(port, offer)

    assert b"sec-websocket-extensions" not in answer.lower()


async def test_connections_are_counted_as_requests(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    url = sqlite_folder.migrated(apps)
    bound = {"LAUREL_RATES": "nobody=3 requests/hour"}
    async with open_shop(url, PROGRAMME, plugins=Plugins(), variables=bound) as shop, served(shop.app) as address:
        port = int(address.rpartition(":")[2])
        init = frame(b'{"type":"connection_init"}')
        answers = [await told(port, init) for _ in range(4)]
    sqlite_folder.done(url)

    assert [b"connection_ack" in payload for _, payload in answers] == [True, True, True, False]
    assert int.from_bytes(answers[3][1][:2]) == 1013


BYTES = st.one_of(
    st.binary(max_size=200),
    st.tuples(st.sampled_from([GOOD, HEAD, UPGRADE]), st.binary(max_size=20), st.integers(0, 300)).map(
        lambda mixed: mixed[0][: mixed[2]] + mixed[1] + mixed[0][mixed[2] :]
    ),
    st.binary(max_size=200).map(lambda body: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body),
    st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 255)), min_size=1, max_size=4).map(
        lambda frames: UPGRADE + b"".join(frame(payload, first) for payload, first in frames)
    ),
    st.binary(max_size=200).map(lambda rubbish: UPGRADE + rubbish),
)


@settings(
    max_examples=int(os.environ.get("LAUREL_TEST_BYTES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=BYTES)
async def test_no_bytes_make_a_traceback(port: int, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    answer = await sent(port, data)

    statuses = re.findall(rb"^HTTP/1\.1 (\d+) ", answer, re.MULTILINE)
    assert [status for status in statuses if status >= b"500"] == []
    assert [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []
