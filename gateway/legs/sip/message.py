"""SIP messages as bytes and as values (RFC 3261 section 7). No I/O; what is malformed raises MalformedMessage.

Strict about what a transaction needs (Via with a branch, From, To, Call-ID, CSeq), lenient about everything else:
bare line feeds, folded lines, compact names, bytes that are no UTF-8, headers that we do not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.legs.sip.errors import MalformedMessage

VERSION = "SIP/2.0"
MAX_BYTES = 65_535
MAX_HEADERS = 128
BRANCH_COOKIE = "z9hG4bK"  # RFC 3261 section 8.1.1.7

_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from",
    "i": "call-id", "k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
    "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
_LISTS = frozenset({"via", "route", "record-route", "contact", "supported", "require", "allow"})  # commas separate
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE = re.compile(r"\r?\n")

Header = tuple[str, str]  # the name in lower case and long form, the value as it came


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec: the URI, and the parameters of the header (`tag` among them) in lower case."""

    uri: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def tag(self) -> str:
        return dict(self.params).get("tag", "")


@dataclass(frozen=True, slots=True)
class Uri:
    """What we need of a sip or sips URI; `port` is 0 where none is given."""

    scheme: str
    user: str
    host: str
    port: int = 0
    transport: str = ""


@dataclass(frozen=True, slots=True)
class Via:
    """The topmost Via: how the response finds back."""

    transport: str
    host: str
    port: int
    branch: str
    rport: bool


@dataclass(frozen=True, slots=True)
class _Message:
    headers: tuple[Header, ...]
    body: bytes

    def get(self, name: str) -> str:
        """The first value of a header, "" without one; the name in lower case."""
        return next((value for found, value in self.headers if found == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, those in one line apart."""
        return tuple(value for found, value in self.headers if found == name)

    @property
    def call_id(self) -> str:
        return self.get("call-id")

    @property
    def via(self) -> Via:
        return parse_via(self.get("via"))

    @property
    def from_(self) -> Address:
        return parse_address(self.get("from"))

    @property
    def to(self) -> Address:
        return parse_address(self.get("to"))

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method."""
        return _parse_cseq(self.get("cseq"))


@dataclass(frozen=True, slots=True)
class Request(_Message):
    method: str
    uri: str

    def tokens(self, name: str) -> frozenset[str]:
        """The option tags or methods of a header, in lower case."""
        return frozenset(value.strip().lower() for value in self.all(name) if value.strip())


@dataclass(frozen=True, slots=True)
class Response(_Message):
    status: int
    reason: str

    @property
    def final(self) -> bool:
        return self.status >= 200


def parse(data: bytes) -> Request | Response:
    """One message, as a datagram or as a `Framer` brings it.

    Raises:
        MalformedMessage: it is none, or lacks what a transaction needs.
    """
    if len(data) > MAX_BYTES:
        raise MalformedMessage("size", f"at most {MAX_BYTES} bytes", len(data))
    head, body = _split(data)
    first, *lines = _LINE.split(_FOLD.sub(" ", head.decode("utf-8", "surrogateescape")))
    headers = tuple(_headers(lines))
    body = _body(headers, body)
    message: Request | Response
    if first.startswith(VERSION):
        message = Response(headers, body, *_status_line(first))
    else:
        message = Request(headers, body, *_request_line(first))
    _check(message)
    return message


def _split(data: bytes) -> tuple[bytes, bytes]:
    data = data.lstrip(b"\r\n")
    for end in (b"\r\n\r\n", b"\n\n"):
        head, found, body = data.partition(end)
        if found:
            return head, body
    raise MalformedMessage("headers", "an empty line after them")


def _headers(lines: Iterable[str]) -> Iterator[Header]:
    lines = list(lines)
    if len(lines) > MAX_HEADERS:
        raise MalformedMessage("headers", f"at most {MAX_HEADERS}", len(lines))
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not _TOKEN.fullmatch(name):
            raise MalformedMessage("header", "a name and a colon", line)
        name = _COMPACT.get(name, name)
        for part in split_list(value) if name in _LISTS else (value.strip(),):
            yield name, part


def split_list(value: str) -> list[str]:
    """The parts of a header value that commas separate, but those in quotes and angle brackets."""
    parts, start, quoted, depth = [], 0, False, 0
    for at, char in enumerate(value):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "<>":
            depth = 1 if char == "<" else 0
        elif char == "," and not quoted and not depth:
            parts.append(value[start:at].strip())
            start = at + 1
    return [part for part in (*parts, value[start:].strip()) if part]


def _body(headers: tuple[Header, ...], body: bytes) -> bytes:
    """A datagram may be longer than it says; one that is shorter was cut."""
    length = next((value for name, value in headers if name == "content-length"), None)
    if length is None:
        return body
    wanted = _number(length, "Content-Length", MAX_BYTES)
    if len(body) < wanted:
        raise MalformedMessage("body", f"{wanted} bytes", len(body))
    return body[:wanted]


def _status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version != VERSION or not re.fullmatch(r"[1-6][0-9]{2}", status):
        raise MalformedMessage("status line", f"{VERSION}, a status and a reason", line)
    return int(status), reason


def _request_line(line: str) -> tuple[str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] != VERSION or not _TOKEN.fullmatch(parts[0]) or not parts[1]:
        raise MalformedMessage("request line", f"a method, a URI and {VERSION}", line)
    return parts[0], parts[1]


def _check(message: Request | Response) -> None:
    """Read once what everything else relies on, so that nothing behind the parser raises."""
    if not message.call_id:
        raise MalformedMessage("Call-ID", "a value")
    if not message.via.branch:
        raise MalformedMessage("Via", "a branch", message.get("via"))
    _, method = message.cseq
    if not message.from_.tag:
        raise MalformedMessage("From", "a tag", message.get("from"))
    parse_address(message.get("to"))
    if isinstance(message, Request) and method != message.method:
        raise MalformedMessage("CSeq", f"the method {message.method}", method)


def _parse_cseq(value: str) -> tuple[int, str]:
    number, _, method = value.partition(" ")
    if not _TOKEN.fullmatch(method.strip()):
        raise MalformedMessage("CSeq", "a number and a method", value)
    return _number(number, "CSeq", 2**31 - 1), method.strip()


def _number(text: str, where: str, most: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > most:
        raise MalformedMessage(where, f"a number up to {most}", text)
    return int(text)


def parse_via(value: str) -> Via:
    """Raises MalformedMessage."""
    sent, _, rest = value.partition(";")
    protocol, _, by = sent.strip().rpartition(" ")
    name, _, transport = protocol.replace(" ", "").rpartition("/")
    host, port = _host_port(by, "Via")
    if name.upper() != VERSION or not transport:
        raise MalformedMessage("Via", f"{VERSION}, a transport and a host", value)
    params = dict(_params(rest))
    return Via(transport.lower(), host, port, params.get("branch", ""), "rport" in params)


def _host_port(text: str, where: str) -> tuple[str, int]:
    """Host and port, 0 where none is given; an IPv6 address stands in brackets."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?", text.strip())
    if match is None or int(match[2] or 0) > 65_535:
        raise MalformedMessage(where, "a host, and perhaps a port", text)
    return match[1].strip("[]"), int(match[2] or 0)


def _params(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            yield name.strip().lower(), value.strip().strip('"')


def parse_address(value: str) -> Address:
    """A From, To, Contact, Route or Record-Route. Raises MalformedMessage."""
    _, bracket, rest = value.partition("<")
    if bracket:
        uri, closed, params = rest.partition(">")
        if not closed:
            raise MalformedMessage("address", "a closing >", value)
        params = params.lstrip().removeprefix(";")
    else:
        uri, _, params = value.partition(";")
    if not uri.strip() or any(char.isspace() for char in uri.strip()):
        raise MalformedMessage("address", "a URI", value)
    return Address(uri.strip(), tuple(_params(params)))


def parse_uri(uri: str) -> Uri:
    """Raises MalformedMessage for everything but sip and sips."""
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        raise MalformedMessage("URI", "sip: or sips:", uri)
    address, _, params = rest.partition("?")[0].partition(";")
    user, _, host_port = address.rpartition("@")
    host, port = _host_port(host_port, "URI")
    return Uri(scheme.lower(), user, host, port, dict(_params(params)).get("transport", "").lower())


def response(request: Request, status: int, reason: str, *, to_tag: str = "", received: str = "") -> Response:
    """The skeleton of a response: the headers that it takes from its request (RFC 3261 section 8.2.6.2).

    `received`: host and port, as "192.0.2.1 5060", that the request really came from (RFC 3581).
    """
    headers: list[Header] = []
    for name, value in request.headers:
        if name == "via" and not headers and received:
            value = _received(value, *received.split(" "))
        if name == "to" and to_tag and not request.to.tag:
            value = f"{value};tag={to_tag}"
        if name in ("via", "from", "to", "call-id", "cseq") or (name == "record-route" and 100 < status < 300):
            headers.append((name, value))
    return Response(tuple(headers), b"", status, reason)


def _received(via: str, host: str, port: str) -> str:
    """What the next hop back must know: where the request came from, and by which port."""
    parts = [part for part in via.split(";") if part.partition("=")[0].strip().lower() not in ("received", "rport")]
    asked = "rport" in dict(_params(via.partition(";")[2]))
    return ";".join([*parts, f"received={host}", *([f"rport={port}"] if asked else [])])


def with_headers(message: Response, *headers: Header) -> Response:
    """The response with more headers after those that it has."""
    return replace(message, headers=(*message.headers, *headers))


def encode(message: Request | Response) -> bytes:
    """The message as it is sent; Content-Length is always written anew."""
    if isinstance(message, Request):
        first = f"{message.method} {message.uri} {VERSION}"
    else:
        first = f"{VERSION} {message.status} {message.reason}"
    lines = [first, *(f"{_written(name)}: {value}" for name, value in message.headers if name != "content-length")]
    head = "\r\n".join([*lines, f"Content-Length: {len(message.body)}", "", ""])
    return head.encode("utf-8", "surrogateescape") + message.body


def _written(name: str) -> str:
    return {"call-id": "Call-ID", "cseq": "CSeq"}.get(name, name.title())


class Framer:
    """Messages out of a stream: headers up to the empty line, then as much as Content-Length says."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Whole messages; empty lines between them are keep-alives.

        Raises:
            MalformedMessage: the stream has lost its place and must be closed.
        """
        self._buffer += data
        found = []
        while message := self._next():
            found.append(message)
        return found

    def _next(self) -> bytes:
        buffer = self._buffer
        while buffer[:2] == b"\r\n":
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > MAX_BYTES:
                raise MalformedMessage("stream", f"an end of headers within {MAX_BYTES} bytes")
            return b""
        length = end + 4 + self._length(bytes(buffer[:end]))
        if len(buffer) < length:
            return b""
        message = bytes(buffer[:length])
        del buffer[:length]
        return message

    @staticmethod
    def _length(head: bytes) -> int:
        match = re.search(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*(?:\r\n|$)", head, re.IGNORECASE)
        if match is None or int(match[1]) > MAX_BYTES:
            raise MalformedMessage("stream", "a Content-Length", head[-60:])
        return int(match[1])
