"""Load over HTTP by `wrk`, which costs little of the cores that it shares with what it measures."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

HERE = Path(__file__).parent
READS = HERE / "reads.lua"
RESULT = "RESULT "


class LoadFailed(Exception):
    """The load could not be made, or what it asked for was refused; the message says what came back."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, found: Mapping[str, float]) -> Self:
        return cls(found["p50"], found["p95"], found["p99"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLoad:
    """Sales whose every answer was 2xx.

    `request` is of single requests, `hold` of `POST /bookings` alone, `pair` from the hold's request to the
    confirmation's answer.
    """

    sold: int
    per_second: float
    request: Latency
    hold: Latency
    pair: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLoad:
    per_second: float
    latency: Latency


def sell(
    port: int,
    slots: Sequence[UUID],
    unit_id: UUID,
    *,
    seconds: float,
    connections: int = 16,
    paid: bool = False,
) -> SaleLoad:
    """Buy one unit at a time, each as another guest, going round `slots`. Raises LoadFailed at a refusal."""
    env = {
        "SALE_RUN": secrets.token_hex(4),
        "SALE_UNIT": str(unit_id),
        "SALE_SLOTS": " ".join(map(str, slots)),
        "SALE_PAID": "1" if paid else "0",
    }
    found = wrk(HERE / "sale.lua", f"http://127.0.0.1:{port}/", seconds, connections, env)
    if found["refused"] or found["broken"]:
        raise LoadFailed(f"{found['refused']} refused, {found['broken']} broken: {found['first_refusal']}")
    return SaleLoad(
        sold=found["sold"],
        per_second=found["sold"] / found["seconds"],
        request=Latency.of(found["request"]),
        hold=Latency.of(found["hold"]),
        pair=Latency.of(found["pair"]),
    )


def read(
    port: int, path: str, *, seconds: float, connections: int = 16, env: Mapping[str, str] | None = None
) -> ReadLoad:
    """Get one path over and over, or what `env` tells reads.lua to ask. Raises LoadFailed when an answer is
    not 2xx.
    """
    found = wrk(READS, f"http://127.0.0.1:{port}{path}", seconds, connections, env or {})
    wrong = found["refused"] + found["broken"]
    if wrong or not found["requests"]:
        raise LoadFailed(f"{wrong} of {found['requests']} answers to {path} were no success")
    return ReadLoad(per_second=found["requests"] / found["seconds"], latency=Latency.of(found))


def wrk(script: Path, url: str, seconds: float, connections: int, env: Mapping[str, str]) -> dict[str, Any]:
    """Run wrk with a script that prints one line of RESULT and JSON; what it printed. Raises LoadFailed."""
    whole = max(1, round(seconds))
    argv = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{whole}s",
        "--timeout",
        "10s",
        "-s",
        str(script),
        url,
    ]
    done = subprocess.run(
        argv, env={**os.environ, **env}, capture_output=True, text=True, timeout=whole + 30, check=False
    )
    for line in done.stdout.splitlines():
        if line.startswith(RESULT):
            found: dict[str, Any] = json.loads(line.removeprefix(RESULT))
            return found
    raise LoadFailed(f"wrk ended with {done.returncode}:\n{done.stdout}{done.stderr}")
