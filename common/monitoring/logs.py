"""Log lines as JSON on standard output: one line a record, whatever a record says.

Nobody waits for whoever reads them. No line is longer than 4,096 bytes, so that those of several processes
are never mixed in one pipe.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import orjson

from common.monitoring import tracing
from common.monitoring.log_writer import PIECE_BYTES, LineWriter
from common.monitoring.scrubbing import scrubbed, traceback_of

STANDARD_OUTPUT = 1

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OPTIONS = (
    orjson.OPT_NON_STR_KEYS
    | orjson.OPT_UTC_Z
    | orjson.OPT_APPEND_NEWLINE
    # These would be written out whole, whatever they hold.
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# JSON leaves these as they are; some readers of logs begin a new line at them, a terminal obeys them.
_ESCAPED = {
    number: f"\\u{number:04x}"
    for first, last in ((0x7F, 0x9F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2066, 0x2069), (0xFEFF, 0xFEFF))
    for number in range(first, last + 1)
}
# How long message and exception may be, and whether other members stay: the first that fits is taken.
_SHORTER = ((1000, 2500, True), (500, 1500, False), (100, 0, False))

Send = Callable[[bytes], None]


class _Installed:
    """Where the lines of this process go, once that is known."""

    send: Send | None = None
    service = ""


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; what `extra` brought becomes members. Every line break is escaped."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        return self.line(record).decode().rstrip("\n")

    def line(self, record: logging.LogRecord) -> bytes:
        """The record as a line that ends with a line feed."""
        head = {
            "timestamp": _instant(record.created),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
        }
        span = tracing.current()
        if span is not None:
            head |= {"traceId": span.trace_id, "spanId": span.span_id, **span.labels}
        message = scrubbed(record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        exception = traceback_of(error) if error is not None else ""
        more = {name: _clean(value) for name, value in record.__dict__.items() if name not in _OWN}
        for message_length, exception_length, with_more in _SHORTER:
            members = {**head, "message": message[:message_length], **(more if with_more else {})}
            if exception and exception_length:
                members["exception"] = exception[:exception_length]
            line = dumped(members)
            if len(line) <= PIECE_BYTES:
                break
        return line


class JsonHandler(logging.Handler):
    """Sends every record as a line. What cannot be one is named by its place in the code."""

    def __init__(self, service: str, send: Send) -> None:
        super().__init__()
        self.formatter: JsonFormatter = JsonFormatter(service)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises."""
        try:
            line = self.formatter.line(record)
        except Exception as error:
            place = f"{record.module}:{record.lineno}: {type(error).__name__}"
            spare = logging.makeLogRecord({"name": __name__, "levelname": "ERROR", "created": record.created})
            spare.msg = f"a log record could not be written: {place}"
            line = self.formatter.line(spare)
        self._send(line)


def install(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send all log records of this process, as JSON lines, to `stream` (default: standard output)."""
    send = _to_standard_output(service) if stream is None else _to(stream)
    _Installed.send, _Installed.service = send, service
    root = logging.getLogger()
    root.handlers[:] = [JsonHandler(service, send)]
    root.setLevel(level.upper())
    # Each would say with every request, or at every start, what the log has without it or nobody needs.
    for chatty in ("httpx", "httpcore", "werkzeug", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def send_line(level: str, logger: str, members: str) -> None:
    """Write a line without a `LogRecord`, for what is written often. `members` as `members_text` gives them.

    Whether `level` is to be written is for the caller to ask.
    """
    send = _Installed.send
    if send is not None:
        head = _head(level, _Installed.service, logger)
        send(f'{{"timestamp":"{_instant(time.time())}",{head},{members}}}\n'.encode())


def members_text(members: Mapping[str, Any]) -> str:
    """Members of a line as JSON, without the braces; there is at least one, and no text of a client."""
    return dumped(members).decode()[1:-2]


@lru_cache(maxsize=64)
def _head(level: str, service: str, logger: str) -> str:
    return members_text({"level": level, "service": service, "logger": logger})


def dumped(members: Mapping[str, Any]) -> bytes:
    """One line of JSON that nothing reads as several."""
    line = orjson.dumps(members, default=_kind, option=_OPTIONS)
    return line if line.isascii() and b"\x7f" not in line else line.decode().translate(_ESCAPED).encode()


def _to(stream: TextIO) -> Send:
    def send(line: bytes) -> None:
        stream.write(line.decode())

    return send


_writers: dict[str, LineWriter] = {}


def _to_standard_output(service: str) -> Send:
    """One writer a process, however often this is asked for."""
    if service not in _writers:
        _writers[service] = LineWriter(STANDARD_OUTPUT, lambda count: _lost_line(service, count))
    return _writers[service].write


def _lost_line(service: str, count: int) -> bytes:
    head = {"timestamp": _instant(time.time()), "level": "warning", "service": service, "logger": __name__}
    return dumped({**head, "message": "log lines were lost: nobody took them", "lostLines": count})


def _instant(seconds: float) -> str:
    return _millisecond(int(seconds * 1000))


@lru_cache(maxsize=2)
def _millisecond(number: int) -> str:
    whole, part = divmod(number, 1000)
    return f"{_second(whole)}.{part:03d}Z"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:-6]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return value


def _kind(value: object) -> str:
    """What is no plain value is named by its type: what it would say of itself may be anything."""
    return f"<{type(value).__name__}>"
