"""A mail server that keeps what it is given, and refuses what it was told to refuse.

The dialogue is that of aiosmtpd: who does not sign in gets nothing through, and where there is a certificate nobody
signs in before encryption.
"""

from __future__ import annotations

import email
import email.policy
import logging
import ssl
import threading
import time
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from service import Failed

HOST = "127.0.0.1"

# RFC 5322, section 2.1.1, without the line's end.
MAX_LINE = 998

# A password without encryption is what one of the servers is for, and a client that hangs up is expected.
warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Delivery:
    """A mail that was handed over: its envelope and its content."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool

    def message(self) -> EmailMessage:
        """What the content says."""
        return email.message_from_bytes(self.content, policy=email.policy.default)

    def header(self, name: str) -> str:
        """The one header of this name."""
        values = self.message().get_all(name, [])
        if len(values) != 1:
            raise Failed(f"a mail has {len(values)} headers {name}")
        return str(values[0])

    def part(self, kind: str) -> str:
        """The text of the one part of this type, in UTF-8."""
        parts = [part for part in self.message().walk() if part.get_content_type() == kind]
        if len(parts) != 1:
            raise Failed(f"a mail has {len(parts)} parts of {kind}")
        if (parts[0].get_content_charset() or "").lower() != "utf-8":
            raise Failed(f"the part of {kind} is in {parts[0].get_content_charset()}")
        # The mail of another charset than it says is a defect, not something to read past.
        return parts[0].get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")

    def check_form(self) -> None:
        """What every mail has to keep to, so that every server takes it."""
        head, _, body = self.content.partition(b"\r\n\r\n")
        if not head.isascii() or not body:
            raise Failed("the head of a mail is not ASCII, or nothing follows it")
        if max(len(line) for line in self.content.split(b"\r\n")) > MAX_LINE:
            raise Failed("a line of a mail is too long")
        if b"\n" in self.content.replace(b"\r\n", b"") or b"\r" in self.content.replace(b"\r\n", b""):
            raise Failed("a mail has bare line ends")
        if self.message().defects:
            raise Failed(f"a mail has defects: {self.message().defects}")


class Mailbox:
    """A mail server on a port of this machine."""

    def __init__(self, port: int, user: str, password: str, certificate: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.certificate = certificate
        self._user, self._password = user.encode(), password.encode()
        self._controller: _Controller | None = None
        # Everything below is written by the server's thread.
        self._changed = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._refused: list[Delivery] = []
        self._tries: Counter[str] = Counter()
        self._ways: Counter[str] = Counter()
        self._offers: Counter[bool] = Counter()
        self._at_recipient: defaultdict[str, deque[str]] = defaultdict(deque)
        self._at_end: defaultdict[str, deque[str]] = defaultdict(deque)

    def start(self) -> None:
        """Listens; what was kept before is still there."""
        self._controller = _Controller(self)
        self._controller.start()

    def stop(self) -> None:
        """Hangs up on everybody and listens no more."""
        if self._controller:
            self._controller.hang_up()
            self._controller.stop()
            self._controller = None

    def refuse(self, address: str, *answers: str, at_end: bool = False) -> None:
        """Gives these answers to the next tries for this address, once its mail is named or, `at_end`, was sent."""
        with self._changed:
            (self._at_end if at_end else self._at_recipient)[address.lower()].extend(answers)

    def tries(self, address: str) -> int:
        """How often a mail to this address was tried, with what was refused."""
        with self._changed:
            return self._tries[address.lower()]

    def to(self, address: str) -> list[Delivery]:
        """The mails that came for this address."""
        with self._changed:
            return [kept for kept in self._deliveries if address.lower() in map(str.lower, kept.recipients)]

    def refused(self, address: str) -> list[Delivery]:
        """The mails for this address that were refused at their end."""
        with self._changed:
            return [kept for kept in self._refused if address.lower() in map(str.lower, kept.recipients)]

    def all(self) -> list[Delivery]:
        """Every mail that came."""
        with self._changed:
            return list(self._deliveries)

    def ways(self) -> Counter[str]:
        """By which mechanism clients signed in, and how often."""
        with self._changed:
            return self._ways.copy()

    def encryptions(self, agreed: bool) -> int:
        """How often encryption was agreed on, or failed after the client had asked for it."""
        with self._changed:
            return self._offers[agreed]

    def wait(self, what: str, condition: Callable[[], Any], seconds: float) -> Any:
        """What `condition` gives, once that is anything."""
        end = time.monotonic() + seconds
        with self._changed:
            while not (found := condition()):
                if (left := end - time.monotonic()) <= 0:
                    raise Failed(f"{what}: not within {seconds:.0f} s")
                self._changed.wait(left)
            return found

    def next_to(self, address: str, seconds: float, after: int = 0) -> Delivery:
        """The mail that comes for this address when `after` came before it."""
        found = self.wait(f"a mail to {address}", lambda: self.to(address)[after:], seconds)[0]
        found.check_form()
        return found

    def note(self, change: Callable[[], Any]) -> Any:
        """Writes something down and wakes who waits for it."""
        with self._changed:
            result = change()
            self._changed.notify_all()
            return result

    # What aiosmtpd calls.

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Whether who signs in is who may."""
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (self._user, self._password)
        if right:
            self.note(lambda: self._ways.update([mechanism]))
        return AuthResult(success=right, handled=False)

    def encryption(self, agreed: bool) -> None:
        """Encryption was asked for, and agreed on or not."""
        self.note(lambda: self._offers.update([agreed]))

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        def answer() -> str:
            self._tries[address.lower()] += 1
            refusals = self._at_recipient[address.lower()]
            return refusals.popleft() if refusals else "250 OK"

        told = self.note(answer)
        if told.startswith("250"):
            envelope.rcpt_tos.append(address)
        return told

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients, content = tuple(envelope.rcpt_tos), envelope.original_content or b""
        delivery = Delivery(envelope.mail_from or "", recipients, content, session.ssl is not None)

        def answer() -> str:
            refusals = [self._at_end[address.lower()] for address in delivery.recipients]
            for refusal in filter(None, refusals):
                self._refused.append(delivery)
                return refusal.popleft()
            self._deliveries.append(delivery)
            return "250 OK"

        return self.note(answer)


class _Server(SMTP):
    """The dialogue, with an eye on connections and on what becomes of encryption."""

    def __init__(self, mailbox: Mailbox, connections: set[Any], **options: Any) -> None:
        super().__init__(mailbox, **options)
        self._mailbox, self._connections = mailbox, connections

    def connection_made(self, transport: Any) -> None:
        if self._original_transport is None:
            self._connections.add(transport)
        super().connection_made(transport)

    async def smtp_STARTTLS(self, arg: str) -> None:
        try:
            await super().smtp_STARTTLS(arg)
        except BaseException:
            self._mailbox.encryption(agreed=False)
            raise
        if self.session and self.session.ssl:
            self._mailbox.encryption(agreed=True)

    # aiosmtpd looks for the syntax on the method itself.
    smtp_STARTTLS.__dict__.update(SMTP.smtp_STARTTLS.__dict__)


class _Controller(Controller):
    """Runs it in a thread."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox, self._connections = mailbox, set()
        super().__init__(mailbox, hostname=HOST, port=mailbox.port)

    def factory(self) -> SMTP:
        # The certificate is looked at for each connection: it may be replaced.
        certificate = self._mailbox.certificate
        return _Server(
            self._mailbox,
            self._connections,
            loop=self.loop,
            hostname="mail.example",
            # What few servers have, so that it is not relied on.
            enable_SMTPUTF8=False,
            tls_context=certificate,
            require_starttls=certificate is not None,
            auth_required=True,
            auth_require_tls=certificate is not None,
            authenticator=self._mailbox.authenticate,
        )

    def hang_up(self) -> None:
        """Ends what is connected, which the server's end alone would not."""
        done = threading.Event()

        def end() -> None:
            for transport in self._connections:
                transport.abort()
            done.set()

        self.loop.call_soon_threadsafe(end)
        done.wait(10)
