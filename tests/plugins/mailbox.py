"""A real SMTP server that mail is sent to, and that can misbehave as those out there do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

Answer = Callable[[str, int], str | None]
"""What a command is answered with, in its name and by its number, from 1: None breaks off, "" is the usual answer."""


@dataclass
class Mailbox:
    """What came in. ``answer`` may change what is answered to HELLO, MAIL, RCPT, DATA, END (of the mail) and so on."""

    port: int = 0
    answer: Answer = lambda command, number: ""
    tls: ssl.SSLContext | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    was_secure: list[bool] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    silent: asyncio.Event | None = None

    @property
    def bodies(self) -> list[str]:
        """What the mails that were taken say."""
        found = []
        for mail in self.mails:
            body = mail.get_body(("plain",))
            assert body is not None
            found.append(body.get_content().strip())
        return found

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = recipient = ""
        secure = False
        self.asked.set()
        if self.silent is not None:
            await self.silent.wait()
        if not await self._say(writer, "HELLO", "220 mailbox"):
            return
        while line := (await reader.readline()).decode().strip():
            command = line.split(maxsplit=1)[0].upper()
            self.commands.append(line)
            match command:
                case "EHLO":
                    offers = ["STARTTLS"] if self.tls and not secure else []
                    lines = ["mailbox", "8BITMIME", "AUTH PLAIN", *offers]
                    usual = "\r\n".join([*(f"250-{offer}" for offer in lines[:-1]), f"250 {lines[-1]}"])
                case "AUTH":
                    usual = "235 welcome"
                case "MAIL":
                    sender, usual = line.partition("<")[2].partition(">")[0], "250 ok"
                case "RCPT":
                    recipient, usual = line.partition("<")[2].partition(">")[0], "250 ok"
                case "DATA":
                    usual = "354 go on"
                case "STARTTLS" if self.tls is not None:
                    writer.write(b"220 go on\r\n")
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    secure = True
                    continue
                case "QUIT":
                    await self._say(writer, "QUIT", "221 bye")
                    return
                case _:
                    usual = "250 ok"
            if not await self._say(writer, command, usual):
                return
            if command == "DATA" and self._answers["DATA"].startswith("354"):
                raw = (await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n.")
                answered = await self._say(writer, "END", "250 kept")
                if self._answers["END"].startswith("250") or not answered:
                    mail = message_from_bytes(raw + b"\r\n", policy=default)
                    assert isinstance(mail, EmailMessage)
                    self.mails.append(mail)
                    self.envelopes.append((sender, recipient))
                    self.was_secure.append(secure)
                if not answered:
                    return

    _counts: dict[str, int] = field(default_factory=dict)
    _answers: dict[str, str] = field(default_factory=dict)

    async def _say(self, writer: asyncio.StreamWriter, command: str, usual: str) -> bool:
        """Answer a command; whether the conversation goes on."""
        self._counts[command] = self._counts.get(command, 0) + 1
        said = self.answer(command, self._counts[command])
        self._answers[command] = "" if said is None else said or usual
        if said is None:
            return False
        writer.write(f"{said or usual}\r\n".encode())
        await writer.drain()
        return True


@asynccontextmanager
async def mailbox(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailbox]:
    """A mail server that listens, at a free port unless one is named."""
    box = Mailbox(tls=tls)
    server = await asyncio.start_server(box.serve, "127.0.0.1", port)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
