"""Has the service mail to a mail server that was not written here, and follows what it mailed.

Takes from the environment:

    TENANTRY_URL                 where the service is, started with TENANTRY_RATE_LIMITS=off and the mail server of
    TENANTRY_SMTP_PORT           this port, where this program listens, without encryption (?tls=none)
    TENANTRY_ENCRYPTED_URL       another one, which demands STARTTLS and trusts the authority of the folder below, of
    TENANTRY_ENCRYPTED_SMTP_PORT this port
    TENANTRY_SMTP_USER           who may sign in to both mail servers; TENANTRY_SMTP_PASSWORD
    TENANTRY_MAIL_FROM           whom mails have to be from
    TENANTRY_CERTIFICATES        a folder of trusted.pem and stranger.pem, certificates of this machine's address with
                                 their keys beside them in .key; trusted-ca.pem is the authority of the first

and prints a line for each point that it has proven. It ends with 1 at the first one that does not hold. Nothing here
waits for a time: what has to happen is waited for, and what must not happen is looked for after something that comes
later.
"""

from __future__ import annotations

import os
import re
import smtplib
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path

# The folder is one of sources.
sys.dont_write_bytecode = True

from mailbox_server import HOST, Delivery, Mailbox  # noqa: E402
from service import OTHER_PASSWORD, PASSWORD, Account, Failed, Service  # noqa: E402

# How long a mail may take that is taken at once, and one that is tried again: the first pauses are 5 s, 10 s and 20 s,
# each up to half as long again.
SOON = 20.0
AFTER_RETRIES = 60.0

# Longer than a header may be, and than one that is split is shown.
LONG_NAME = "Ø, <x@evil.example>; " * 12 + "end"

# What may stand in a name, and must not get anywhere else.
NAMES = [
    '"Eve" <eve@evil.example>, "Mallory" <mallory@evil.example>',
    "Eve>, Bcc: eve@evil.example; group: a@evil.example, b@evil.example;",
    "Eve\u2028Bcc: eve@evil.example\u2029\u2029Click here",
    "=?utf-8?q?Eve=0D=0ABcc=3A_eve=40evil.example?=",
    "Zoë 🦊 山田 \\ \" ' ( ) , ; : @",
    "<script>alert(1)</script>{{ 7 * 7 }}",
    LONG_NAME,
]


def required(name: str) -> str:
    """A variable that has to be set."""
    value = os.environ.get(name)
    if not value:
        raise Failed(f"{name} is not set")
    return value


@dataclass(frozen=True)
class Certificates:
    """What the mail server shows, and whom the service trusts."""

    folder: Path

    def shown(self, name: str) -> ssl.SSLContext:
        """The side of a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def trusting(self) -> ssl.SSLContext:
        """The side of a client that trusts what the service trusts."""
        return ssl.create_default_context(cafile=str(self.folder / "trusted-ca.pem"))


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    user: str
    password: str
    sender: str
    certificates: Certificates

    @classmethod
    def read(cls) -> Settings:
        return cls(
            user=required("TENANTRY_SMTP_USER"),
            password=required("TENANTRY_SMTP_PASSWORD"),
            sender=required("TENANTRY_MAIL_FROM"),
            certificates=Certificates(Path(required("TENANTRY_CERTIFICATES"))),
        )

    def mailbox(self, port: int, certificate: ssl.SSLContext | None = None) -> Mailbox:
        """A mail server that is not there yet."""
        return Mailbox(port, self.user, self.password, certificate)


def holds(condition: object, otherwise: str) -> None:
    """Ends the run unless this holds."""
    if not condition:
        raise Failed(otherwise)


class Links(HTMLParser):
    """Where the links of a document lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def token(service: Service, mail: Delivery, page: str) -> str:
    """What the one link of a mail holds, which leads to this page in both parts."""
    address = re.escape(f"{service.url}/{page}?token=") + r"([A-Za-z0-9._~%-]+)"
    text = set(re.findall(address, mail.part("text/plain")))
    links = Links()
    links.feed(mail.part("text/html"))
    html = {found[1] for found in (re.fullmatch(address, link) for link in links.found) if found}
    holds(len(text) == 1, f"the text of a mail has {len(text)} links to {service.url}/{page}")
    holds(text == html, f"the two parts of a mail have other links to {page}")
    return text.pop()


class Check:
    """The points, in an order in which each can build on what was before."""

    def __init__(self, settings: Settings, service: Service, mailbox: Mailbox) -> None:
        self.settings, self.service, self.mailbox = settings, service, mailbox
        # Who must not be mailed to, and who not more often than this: looked at once more at the end.
        self.tries: dict[str, int] = {}
        # A mail to compare the German one with.
        self.english: Delivery | None = None

    def verified(self, what: str) -> Account:
        """Somebody whose address is proven."""
        account = self.service.register(what)
        link = token(self.service, self.mailbox.next_to(account.email, SOON), "verify-email")
        self.service.call("POST", "/api/v1/auth/email/verify", {"token": link}).expect(200)
        return account

    def mail_server(self) -> str:
        """What the rest relies on: that only who signs in gets a mail through."""
        examine(self.settings, self.mailbox)
        return "the mail server takes mail from who signs in, by PLAIN and by LOGIN, and from nobody else"

    def verification(self) -> str:
        service, before = self.service, self.mailbox.ways().total()
        account = service.register("first", "Ann Example")
        mail = self.mailbox.next_to(account.email, SOON)
        holds(self.mailbox.ways().total() > before, "the service did not sign in")
        message = mail.message()
        holds(message.get_content_type() == "multipart/alternative", f"it is {message.get_content_type()}")
        kinds = [part.get_content_type() for part in message.iter_parts()]
        holds(kinds == ["text/plain", "text/html"], f"its parts are {kinds}")
        holds(re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", mail.header("Message-ID")), "its Message-ID is none")
        holds(mail.header("Auto-Submitted") == "auto-generated", "it does not say that nobody wrote it")
        holds(message["Date"].datetime, "it has no date")
        sender = parseaddr(self.settings.sender)
        told = [(entry.display_name, entry.addr_spec) for entry in message["From"].addresses]
        holds(told == [sender], f"it is from {told}, not {sender}")
        holds(mail.sender == sender[1], f"its envelope is from {mail.sender}")
        link = token(service, mail, "verify-email")
        me = service.call("GET", "/api/v1/me", token=account.access_token).expect(200)
        holds(me["emailVerified"] is False, "the address is proven before anybody followed the link")
        service.call("POST", "/api/v1/auth/email/verify", {"token": link}).expect(200)
        me = service.call("GET", "/api/v1/me", token=account.access_token).expect(200)
        holds(me["emailVerified"] is True, "following the link does not prove the address")
        service.call("POST", "/api/v1/auth/email/verify", {"token": link}).expect(410, "GONE")
        return "registering mails a link that proves the address, once"

    def unknown_address(self) -> str:
        known, unknown = self.verified("known"), self.service.new_email("unknown")
        nobody = self.service.forgot(unknown)
        somebody = self.service.forgot(known.email)
        nobody.expect(202)
        somebody.expect(202)
        holds(nobody.body == somebody.body, "the answer tells whether anybody has the address")
        # It was asked for later.
        self.english = self.mailbox.next_to(known.email, SOON, after=1)
        token(self.service, self.english, "reset-password")
        self.tries[unknown] = 0
        holds(self.mailbox.tries(unknown) == 0, "a mail went to an address that nobody has")
        return "who asks for an address that nobody has is answered alike, and nothing is mailed"

    def password_reset(self) -> str:
        service, account = self.service, self.verified("german")
        service.call("PATCH", "/api/v1/me", {"locale": "de-AT"}, account.access_token).expect(200)
        service.forgot(account.email).expect(202)
        mail = self.mailbox.next_to(account.email, SOON, after=1)
        link = token(service, mail, "reset-password")
        holds(mail.header("Subject") != self.english.header("Subject"), "the German mail has the English subject")
        for kind in ("text/plain", "text/html"):
            german = mail.part(kind)
            holds("Passwort" in german and re.search("[äöüß]", german), f"{kind} is not in German")
            holds("Passwort" not in self.english.part(kind), f"{kind} of the English mail is in German")
        body = {"token": link, "password": OTHER_PASSWORD}
        service.call("POST", "/api/v1/auth/password/reset", body).expect(200)
        refresh = service.call("POST", "/api/v1/auth/refresh", {"refreshToken": account.refresh_token})
        holds(refresh.status == 401, f"the session of before is answered {refresh.status}")
        login = {"email": account.email, "password": OTHER_PASSWORD}
        service.call("POST", "/api/v1/auth/login", login).expect(200)
        old = service.call("POST", "/api/v1/auth/login", {**login, "password": PASSWORD})
        holds(old.status == 401, f"the password of before is answered {old.status}")
        told = self.mailbox.next_to(account.email, SOON, after=2)
        subjects = {mail.header("Subject"), told.header("Subject")}
        holds(len(subjects) == 2 and "token=" not in told.part("text/plain"), "nobody is told of the new password")
        service.call("POST", "/api/v1/auth/password/reset", body).expect(410, "GONE")
        return "a German mail resets the password, once; sessions end, and the owner is told"

    def kept_mails(self) -> str:
        earlier, later = self.verified("earlier"), self.verified("later")

        def listed() -> list[dict[str, str]]:
            return self.service.call("GET", "/dev/mail").expect(200)

        # A mail is kept after it was handed over, so the last one may not be listed yet.
        def both() -> tuple[list[dict[str, str]], int, int] | None:
            mails = listed()
            to = [mail["to"] for mail in mails]
            found = later.email in to and earlier.email in to
            return (mails, to.index(later.email), to.index(earlier.email)) if found else None

        mails, newer, older = self.mailbox.wait("both mails in /dev/mail", both, SOON)
        fields = {"to", "subject", "text", "html", "sentAt"}
        holds(all(set(mail) == fields for mail in mails), "other fields are listed")
        holds(newer < older, "the newest mail does not come first")
        holds(mails[newer]["sentAt"] >= mails[older]["sentAt"], "a later mail was sent earlier")
        [mail] = self.mailbox.to(later.email)
        holds(mails[newer]["subject"] == mail.header("Subject"), "another subject is listed")
        for field, kind in (("text", "text/plain"), ("html", "text/html")):
            listed_as = mails[newer][field].replace("\r\n", "\n").strip()
            holds(listed_as == mail.part(kind).strip(), f"another {field} is listed than was sent")
        return "/dev/mail lists what was sent, the newest first"

    def names(self) -> str:
        for injected in ("Eve\r\nBcc: eve@evil.example", "Eve\nBcc: eve@evil.example", "Eve\0"):
            body = {"email": self.service.new_email("refused"), "password": PASSWORD, "name": injected}
            answer = self.service.call("POST", "/api/v1/auth/register", body)
            holds(answer.status == 400, f"a name with control characters is answered {answer.status}")
            self.tries[body["email"]] = 0
        holds(len(LONG_NAME) == 255, f"the long name has {len(LONG_NAME)} characters")
        for number, name in enumerate(NAMES):
            account = self.service.register("name", name)
            mail, which = self.mailbox.next_to(account.email, SOON), f"name {number}"
            message = mail.message()
            mail.header("To")
            told = [entry.addr_spec for entry in message["To"].addresses]
            holds(told == [account.email], f"{which}: it is to {told}")
            holds(mail.recipients == (account.email,), f"{which}: its envelope is to {mail.recipients}")
            extra = [header for header in ("Cc", "Bcc", "Reply-To", "Sender") if header in message]
            holds(not extra, f"{which}: it has {extra}")
            mail.header("Subject")
            holds("<script" not in mail.part("text/html"), f"{which}: markup of the name is markup of the mail")
            token(self.service, mail, "verify-email")
        strangers = [to for kept in self.mailbox.all() for to in kept.recipients if to.endswith("@evil.example")]
        holds(not strangers, f"mail went to {strangers}")
        return f"{len(NAMES)} names that want to be more arrive with one recipient each"

    def refusals(self) -> str:
        service, mailbox = self.service, self.mailbox
        busy, late, gone, other = (service.new_email(what) for what in ("busy", "late", "gone", "other"))
        mailbox.refuse(busy, "451 4.3.0 Later")
        mailbox.refuse(late, "451 4.3.0 Later", at_end=True)
        mailbox.refuse(gone, "550 5.1.1 Nobody of that name")
        # Twice: its third try comes after any second one of what was refused before.
        mailbox.refuse(other, "451 4.3.0 Later", "451 4.3.0 Later")
        service.register("gone", email=gone)
        mailbox.wait("the refusal for good", lambda: mailbox.tries(gone), SOON)
        for address in (busy, late, other):
            service.register("refused", email=address)
        mailbox.next_to(busy, AFTER_RETRIES)
        arrived, [refused] = mailbox.next_to(late, AFTER_RETRIES), mailbox.refused(late)
        same = arrived.header("Message-ID") == refused.header("Message-ID")
        holds(same, "the second try of a mail has another Message-ID")
        mailbox.next_to(other, AFTER_RETRIES)
        for address, tries in ((busy, 2), (late, 2), (other, 3), (gone, 1)):
            holds(mailbox.tries(address) == tries, f"{mailbox.tries(address)} tries and not {tries}: {address}")
            self.tries[address] = tries
        holds(not mailbox.to(gone), "a mail arrived that was refused")
        return "451 is tried again as the same mail, at the recipient and at the end; 550 is not"

    def outage(self) -> str:
        self.mailbox.stop()
        try:
            account = self.service.register("outage")
            # A server that hangs up before it says anything, to see that the mail was tried meanwhile.
            with socket.create_server((HOST, self.mailbox.port)) as silent:
                silent.settimeout(AFTER_RETRIES)
                try:
                    silent.accept()[0].close()
                except TimeoutError:
                    raise Failed("nothing is tried while the mail server is down") from None
        finally:
            self.mailbox.start()
        self.mailbox.next_to(account.email, AFTER_RETRIES)
        holds(len(self.mailbox.to(account.email)) == 1, "it came twice")
        return "what is asked for while the mail server is down arrives when it is up again"

    def encryption(self) -> str:
        certificates = self.settings.certificates
        service = Service(required("TENANTRY_ENCRYPTED_URL"))
        port = int(required("TENANTRY_ENCRYPTED_SMTP_PORT"))
        mailbox = self.settings.mailbox(port, certificates.shown("trusted"))
        mailbox.start()
        try:
            examine(self.settings, mailbox)
            agreed, ways = mailbox.encryptions(agreed=True), mailbox.ways()
            mailbox.certificate = certificates.shown("stranger")
            failed = mailbox.encryptions(agreed=False)
            account = service.register("encrypted")
            mailbox.wait(
                "a second try with a certificate that nobody vouches for",
                lambda: mailbox.encryptions(agreed=False) >= failed + 2,
                AFTER_RETRIES,
            )
            holds(mailbox.encryptions(agreed=True) == agreed, "a certificate was taken that nobody vouches for")
            holds(mailbox.ways() == ways, "the password was given to a server that nobody vouches for")
            holds(not mailbox.tries(account.email), "a mail was given to a server that nobody vouches for")
            if sys.platform != "linux":
                # Whom it trusts is not for this program to say there.
                return "a mail server whose certificate is not trusted is given nothing, and tried again"
            mailbox.certificate = certificates.shown("trusted")
            mail = mailbox.next_to(account.email, AFTER_RETRIES)
            holds(mail.encrypted, "it came without encryption")
            token(service, mail, "verify-email")
        finally:
            mailbox.stop()
        return "a mail server whose certificate is not trusted is given nothing; with one that is, a later try succeeds"

    def afterwards(self) -> str:
        """What must not happen has had the whole run to happen in."""
        for address, tries in self.tries.items():
            holds(self.mailbox.tries(address) == tries, f"{self.mailbox.tries(address)} tries, not {tries}: {address}")
        return "by the end nothing was mailed twice, and nothing to whom nothing is to be mailed"

    def points(self) -> list[Callable[[], str]]:
        """All of them."""
        return [
            self.mail_server,
            self.verification,
            self.unknown_address,
            self.password_reset,
            self.kept_mails,
            self.names,
            self.refusals,
            self.outage,
            self.encryption,
            self.afterwards,
        ]


def examine(settings: Settings, mailbox: Mailbox) -> None:
    """Whether this mail server lets through what it should and nothing else, as Python's own client sees it."""
    encrypted, count = mailbox.certificate is not None, len(mailbox.all())
    sender, to = "probe@mail.example", "probe@example.com"
    content = f"From: {sender}\r\nTo: {to}\r\nSubject: Probe\r\nMIME-Version: 1.0\r\n\r\nProbe\r\n"

    def attempt(way: str | None, password: str, encrypt: bool = encrypted) -> int:
        with smtplib.SMTP(HOST, mailbox.port, timeout=SOON) as client:
            client.ehlo("probe.example")
            if encrypt:
                client.starttls(context=settings.certificates.trusting())
                client.ehlo("probe.example")
            client.user, client.password = settings.user, password
            try:
                if way:
                    client.auth(way, client.auth_plain if way == "PLAIN" else client.auth_login)
                client.sendmail(sender, [to], content)
            except smtplib.SMTPAuthenticationError as refused:
                return refused.smtp_code
            except smtplib.SMTPResponseException as refused:
                return refused.smtp_code
        return 250

    holds(attempt(None, "") == 530, "a mail server takes mail from who does not sign in")
    holds(attempt("PLAIN", "wrong") == 535, "a mail server takes a wrong password")
    for way in ("PLAIN", "LOGIN"):
        holds(attempt(way, settings.password) == 250, f"a mail server does not take mail after {way}")
    mails = [mail for mail in mailbox.all()[count:] if mail.recipients == (to,)]
    holds(len(mails) == 2, f"a mail server kept {len(mails)} of 2 mails")
    holds(all(mail.encrypted is encrypted for mail in mails), "a mail server does not know what was encrypted")
    if not encrypted:
        return
    unencrypted = attempt("PLAIN", settings.password, encrypt=False)
    holds(unencrypted in (530, 538), "a mail server takes a password unencrypted")
    trusted, failed = mailbox.certificate, mailbox.encryptions(agreed=False)
    mailbox.certificate = settings.certificates.shown("stranger")
    with suppress(ssl.SSLCertVerificationError):
        attempt("PLAIN", settings.password)
        raise Failed("a certificate that nobody vouches for is trusted")
    mailbox.wait("the refused certificate", lambda: mailbox.encryptions(agreed=False) > failed, SOON)
    mailbox.certificate = trusted


def main() -> None:
    """Proves one point after the other."""
    settings = Settings.read()
    mailbox = settings.mailbox(int(required("TENANTRY_SMTP_PORT")))
    mailbox.start()
    try:
        points = Check(settings, Service(required("TENANTRY_URL")), mailbox).points()
        for number, point in enumerate(points, 1):
            print(f"{number:>2}  {point()}", flush=True)
    finally:
        mailbox.stop()
    print(f"Mail went out: {len(points)} points.")


if __name__ == "__main__":
    try:
        main()
    except (Failed, OSError, smtplib.SMTPException) as error:
        print(f"PROBLEM  {error}", file=sys.stderr)
        sys.exit(1)
