"""A DNS server (RFC 1035) that knows the text records that it is given, and nothing else: where domains are proven."""

from __future__ import annotations

import socket
import struct
import threading

HEADER = struct.Struct("!6H")

TXT, IN = 16, 1

# An answer, it is the authority on that, and no error.
ANSWERED = 0x8400

# Where the name of the question is, in a message that begins with a header.
NAME_OF_QUESTION = 0xC000 | HEADER.size

# The most bytes of a message, and of one string of a record.
MAX_MESSAGE, MAX_STRING = 4096, 255


class NameServer:
    """A server that ends with its process."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._texts: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, int(port)))
        threading.Thread(target=self._serve, daemon=True).start()

    def set_text(self, name: str, text: str) -> None:
        """Gives a name this text record, and no other."""
        self._texts[name.lower()] = text

    def _serve(self) -> None:
        while True:
            message, sender = self._socket.recvfrom(MAX_MESSAGE)
            try:
                answer = self._answer(message)
            except (IndexError, UnicodeDecodeError, struct.error):
                # Not a question.
                continue
            self._socket.sendto(answer, sender)

    def _answer(self, message: bytes) -> bytes:
        number, flags, *_ = HEADER.unpack_from(message)
        labels, place = [], HEADER.size
        while length := message[place]:
            labels.append(message[place + 1 : place + 1 + length].decode("ascii"))
            place += 1 + length
        kind, _ = struct.unpack_from("!2H", message, place + 1)
        question = message[HEADER.size : place + 5]
        text = self._texts.get(".".join(labels).lower()) if kind == TXT else None
        records = b"" if text is None else _record(text.encode())
        # Whether recursion was desired is told as it was asked.
        head = HEADER.pack(number, ANSWERED | flags & 0x0100, 1, 0 if text is None else 1, 0, 0)
        return head + question + records


def _record(text: bytes) -> bytes:
    """A record of the name that was asked for, which nobody may keep."""
    strings = [text[start : start + MAX_STRING] for start in range(0, len(text), MAX_STRING)]
    data = b"".join(bytes([len(string)]) + string for string in strings)
    return struct.pack("!3HIH", NAME_OF_QUESTION, TXT, IN, 0, len(data)) + data
