"""E-mail, through a server of the installation's choice (RFC 5321), a connection for each message."""

import re
import ssl
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from importlib.util import find_spec
from typing import Final

from core.telling.carriers import AddressInvalid, Carrier, CarrierInvalid, Letter
from core.telling.destinations import NotHeard
from core.time.clock import Clock

SECONDS_MAX: Final = 10.0
_TLS: Final = ("starttls", "tls", "none")
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_LOCAL_MAX: Final = 64
_SHUT: Final = 421
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Smtp(Carrier):
    """Options, each ``LAUREL_MESSAGE_SMTP_…``: ``host``, ``port``, ``from``, ``name``, ``user``, ``password``, ``tls``.

    ``tls`` is starttls unless it is said otherwise, tls from the first byte, or none, which the password is never sent
    over. ``ca`` is a file of certificates to trust instead of those that the machine does. ``seconds`` is how long each
    answer of the server is waited for, 10 unless it is said otherwise.
    """

    def __init__(self, options: Mapping[str, str], clock: Clock) -> None:
        super().__init__(options, clock)
        self._host = options.get("smtp_host", "")
        self._tls = options.get("smtp_tls", "starttls").lower()
        self._user, self._password = options.get("smtp_user") or None, options.get("smtp_password") or None
        sender, name = options.get("smtp_from", ""), options.get("smtp_name", "")
        if self._tls not in _TLS:
            raise CarrierInvalid(f"LAUREL_MESSAGE_SMTP_TLS is one of {', '.join(_TLS)}")
        if self._password and self._tls == "none":
            raise CarrierInvalid("LAUREL_MESSAGE_SMTP_PASSWORD is not sent without TLS: see LAUREL_MESSAGE_SMTP_TLS")
        port = options.get("smtp_port", str(_PORTS[self._tls]))
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise CarrierInvalid("LAUREL_MESSAGE_SMTP_PORT is no port")
        if self._host and find_spec("aiosmtplib") is None:
            raise CarrierInvalid("LAUREL_MESSAGE_SMTP_HOST needs laurel[smtp] to be installed")
        if self._host and not sender:
            raise CarrierInvalid("LAUREL_MESSAGE_SMTP_HOST needs LAUREL_MESSAGE_SMTP_FROM beside it")
        if _CONTROLS.search(name):
            raise CarrierInvalid("LAUREL_MESSAGE_SMTP_NAME holds a control character")
        self._port = int(port)
        self._seconds = _seconds(options.get("smtp_seconds", str(SECONDS_MAX)))
        try:
            self._sender = Address(name, addr_spec=self.check_address(sender)) if sender else None
        except AddressInvalid as invalid:
            raise CarrierInvalid(f"LAUREL_MESSAGE_SMTP_FROM: {invalid}") from None
        self._trusted = None
        if ca := options.get("smtp_ca"):
            try:
                self._trusted = ssl.create_default_context(cafile=ca)
            except (OSError, ssl.SSLError):
                raise CarrierInvalid("LAUREL_MESSAGE_SMTP_CA is no file of certificates") from None

    @property
    def is_set_up(self) -> bool:
        return bool(self._host)

    @classmethod
    def check_address(cls, address: str) -> str:
        """Of what RFC 5321 allows, what mailboxes of today are called: no quotes, no comments, ASCII only.

        >>> Smtp.check_address("Ann@Example.COM")
        'Ann@example.com'
        """
        local, at, domain = address.rpartition("@")
        if not at or not local:
            raise AddressInvalid("it has no name before an @, or no @")
        if len(local) > _LOCAL_MAX or not _LOCAL.fullmatch(local):
            raise AddressInvalid("what stands before the @ is no name of a mailbox")
        if not _DOMAIN.fullmatch(domain):
            raise AddressInvalid("what stands behind the @ is no domain")
        return f"{local}@{domain.lower()}"

    async def carry(self, letter: Letter) -> None:
        if self._sender is None:
            raise NotHeard("e-mail is not set up: LAUREL_MESSAGE_SMTP_HOST", whole_place=True)
        # Installed only where mails are sent.
        import aiosmtplib

        send = partial(
            aiosmtplib.send,
            self._mail(letter),
            hostname=self._host,
            port=self._port,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            tls_context=self._trusted,
            timeout=self._seconds,
        )
        try:
            if self._password:
                await send(username=self._user, password=self._password)
            else:
                await send()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _not_heard(error) from None

    def _mail(self, letter: Letter) -> EmailMessage:
        """The letter as a mail. Its id is made of the letter's, so that a repetition can be told."""
        assert self._sender is not None, "checked before"
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=letter.address)
        # A line's end would begin another header.
        mail["Subject"] = _CONTROLS.sub(" ", letter.subject).strip()
        mail["Date"] = format_datetime(letter.recorded_at)
        mail["Message-ID"] = f"<{letter.id}@{self._sender.domain}>"
        # So that no out-of-office notice answers it (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        if letter.html is not None:
            mail.add_alternative(letter.html, subtype="html")
        mail["Content-Language"] = letter.locale.replace("_", "-")
        return mail


def _seconds(given: str) -> float:
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", given) or not 0 < float(given) <= SECONDS_MAX:
        raise CarrierInvalid(f"LAUREL_MESSAGE_SMTP_SECONDS is a number of seconds up to {SECONDS_MAX:.0f}")
    return float(given)


def _not_heard(error: Exception) -> NotHeard:
    """What a failure means for the letter and the server. What the server wrote may hold addresses and is left out."""
    import aiosmtplib

    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return NotHeard(f"the server was not reached: {type(error).__name__}", whole_place=True)
    said = f"the server answered {error.code}"
    # Only what it says of the mailbox or of the mail is about this letter.
    about_letter = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError) and error.code != _SHUT
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        said += " to user and password"
    return NotHeard(said, whole_place=not about_letter, for_good=about_letter and error.code >= 500)
