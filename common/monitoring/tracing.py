"""Trace context (W3C Recommendation "Trace Context", level 1): which request of whom this work belongs to."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx

STATE_LENGTH, STATE_MEMBERS, STATE_MEMBER_LENGTH = 512, 32, 128

_VERSION_00_LENGTH = 55
_PARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?:-.*)?"
)
_MEMBER = re.compile(
    r"(?P<key>[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_SAMPLED = 1
# Neither a trace id nor the span id behind it may be 0.
_NOT_ZERO = 1 << 64 | 1

# Ids have to differ, not to be secret; asking the system for each costs up to thirty times as much.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)


@dataclass(slots=True)
class Span:
    """A piece of work. `labels` stand in each of its log lines; `parent_id` is empty when it began here.

    Nobody changes it; to be frozen would cost each request.
    """

    trace_id: str
    span_id: str
    parent_id: str = ""
    sampled: bool = True
    state: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)


_current: ContextVar[Span | None] = ContextVar("span", default=None)

current: Callable[[], Span | None] = _current.get
"""The span that this thread works for."""


def enter(span: Span | None) -> None:
    """From now on this thread works for `span`; None: for nothing in particular."""
    _current.set(span)


def new_span(labels: Mapping[str, Any] | None = None) -> Span:
    """The first span of a new trace."""
    text = (_random.getrandbits(192) | _NOT_ZERO).to_bytes(24, "big").hex()
    return Span(text[:32], text[32:], "", True, "", labels or {})


def received(parent: str | None, state: str | None, labels: Mapping[str, Any] | None = None) -> Span:
    """The span of a request with the headers traceparent and tracestate: of its trace when they are good,
    else of a new one.
    """
    found = None if parent is None else _PARENT.fullmatch(parent)
    if found is None:
        return new_span(labels)
    version, trace_id, parent_id, flags = found.groups()
    if version == "00" and found.end() != _VERSION_00_LENGTH:
        return new_span(labels)
    sampled = bool(int(flags, 16) & _SAMPLED)
    return Span(trace_id, _new_id(), parent_id, sampled, state or "", labels or {})


def outgoing() -> dict[str, str]:
    """The trace headers for a call to another service; each call has a span id of its own."""
    span = _current.get() or new_span()
    headers = {"traceparent": _header(span, _new_id())}
    state = bounded_state(span.state)
    if state:
        headers["tracestate"] = state
    return headers


def client_hooks() -> dict[str, list[Callable[..., Any]]]:
    """`httpx.Client(event_hooks=client_hooks())` continues the trace to whatever is called."""
    return {"request": [_add_headers]}


def for_later() -> str | None:
    """The traceparent to leave with what is to be done later for the present span; None outside of any."""
    span = _current.get()
    return None if span is None else _header(span, span.span_id)


@contextmanager
def work(parent: str | None = None, /, **labels: Any) -> Iterator[Span]:
    """Work beside the requests: in the trace that `parent` (see `for_later`) names, else in one of its own.
    `labels` stand in its log lines.
    """
    before, span = _current.get(), received(parent, None, labels)
    _current.set(span)
    try:
        yield span
    finally:
        _current.set(before)


def bounded_state(state: str) -> str:
    """A tracestate to pass on: at most 32 members and 512 characters, long members dropped first, then those
    at the end; empty when it is not well formed.
    """
    if not state or len(state) > 16 * STATE_LENGTH:
        return ""
    members = [member.strip(" \t") for member in state.split(",")]
    members = [member for member in members if member]
    found = [_MEMBER.fullmatch(member) for member in members]
    keys = {match["key"] for match in found if match is not None}
    if len(keys) != len(members) or len(members) > STATE_MEMBERS:
        return ""
    if len(",".join(members)) > STATE_LENGTH:
        members = [member for member in members if len(member) <= STATE_MEMBER_LENGTH]
    while len(",".join(members)) > STATE_LENGTH:
        members.pop()
    return ",".join(members)


def _header(span: Span, span_id: str) -> str:
    return f"00-{span.trace_id}-{span_id}-{_SAMPLED if span.sampled else 0:02x}"


def _new_id() -> str:
    return (_random.getrandbits(64) | 1).to_bytes(8, "big").hex()


def _add_headers(request: httpx.Request) -> None:
    request.headers.update(outgoing())
