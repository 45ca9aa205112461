"""Measurements of what staff do: signing in, and uploading pictures; over HTTP, as in production."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from statistics import median

import httpx
from PIL import Image

from benchmarks.curating import latency_of, new_database
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.site import THREADS, WORKERS
from common.auth.passwords import Argon2Passwords
from demo.run import procfile
from tests.servers.process import ROOT, Process, free_port

SIGN_INS, WARMING = 32, 4
CLIENTS = 4
"""Who sign in, or upload, at the same time."""

PICTURES = 24
SIZE = (1600, 1200)
EMAIL = "bench@example.org"
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Desk:
    """A running admin service, and an editor who may sign in there."""

    url: str
    password: str

    def signed_in(self, client: httpx.Client) -> str:
        """An access token."""
        body = {"email": EMAIL, "password": self.password, "refreshTokenIn": "body"}
        answer = client.post(f"{self.url}/api/admin/auth/login", json=body)
        answer.raise_for_status()
        return str(answer.json()["accessToken"])


def measure_staff(databases: Databases) -> list[Figure]:
    """Sign-ins against the bare hash, and uploads."""
    with _running(databases) as desk:
        return [*_signing_in(desk), _uploading(desk)]


def picture(number: int) -> bytes:
    """A photograph's worth of JPEG, each number another."""
    chance = random.Random(number)
    coarse = Image.frombytes("RGB", (160, 120), chance.randbytes(160 * 120 * 3))
    content = io.BytesIO()
    coarse.resize(SIZE, Image.Resampling.BICUBIC).save(content, "JPEG", quality=85)
    return content.getvalue()


def _signing_in(desk: Desk) -> list[Figure]:
    """One person after the other, in turn with a bare hash; then several at the same time."""
    passwords, signed, bare = Argon2Passwords(), [], []
    stored = passwords.hashed(desk.password)
    with httpx.Client() as client:
        for _ in range(WARMING + SIGN_INS):
            signed.append(_timed(lambda: desk.signed_in(client)))
            bare.append(_timed(lambda: passwords.is_it(stored, desk.password)))
    whole, floor = latency_of(signed[WARMING:]), latency_of(bare[WARMING:])
    alone = Figure(
        name="sign-in",
        value=whole.p50,
        unit="ms",
        floor=floor.p50,
        floor_is="the bare hash of a password",
        latency=whole,
    )
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _: _several_sign_ins(desk), range(CLIENTS)))
    seconds = time.perf_counter() - begun
    return [
        alone,
        Figure(name=f"sign-ins, {CLIENTS} at a time", value=SIGN_INS / seconds, unit="sign-ins/s"),
    ]


def _several_sign_ins(desk: Desk) -> None:
    with httpx.Client(timeout=30) as client:
        for _ in range(SIGN_INS // CLIENTS):
            desk.signed_in(client)


def _uploading(desk: Desk) -> Figure:
    """Pictures of two megapixels, from the first byte until all three sizes are on the disk."""
    with httpx.Client() as client:
        token = desk.signed_in(client)
    pictures = [picture(number) for number in range(PICTURES)]
    parts = [pictures[begin::CLIENTS] for begin in range(CLIENTS)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        took = [each for found in pool.map(lambda part: _upload(desk, token, part), parts) for each in found]
    seconds = time.perf_counter() - begun
    return Figure(
        name=f"uploads of pictures, {CLIENTS} at a time",
        value=PICTURES / seconds,
        unit="pictures/s",
        latency=latency_of(took),
        facts={"pixels": SIZE[0] * SIZE[1], "kilobytes": round(median(map(len, pictures)) / 1000)},
    )


def _upload(desk: Desk, token: str, pictures: Sequence[bytes]) -> list[float]:
    took = []
    with httpx.Client(timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:
        for content in pictures:
            begun = time.perf_counter()
            answer = client.post(
                f"{desk.url}/api/admin/media", files={"files": ("a.jpg", content, "image/jpeg")}
            )
            took.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 201, answer.text
            assert answer.json()["data"][0]["created"], "a picture that was there already costs nothing"
    return took


@contextmanager
def _running(databases: Databases) -> Iterator[Desk]:
    """The admin service on a database of its own, without its worker."""
    url = new_database(databases)
    port, folder = free_port(), databases.folder / token_hex(4)
    env = _settings(url, port, folder)
    argv, own = procfile()["admin"]
    with Process(argv, env={**env, **own}, name="admin") as service:
        service.wait_until(lambda: _is_ready(port), seconds=READY_SECONDS)
        yield Desk(f"http://127.0.0.1:{port}", _editor(env))


def _settings(url: str, port: int, folder: Path) -> Mapping[str, str]:
    return {
        "ADMIN_DATABASE_URL": url,
        "ADMIN_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "DATA_DIR": str(folder),
        "ENVIRONMENT": "test",
        "LOG_LEVEL": "WARNING",
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": str(THREADS),
    }


def _editor(env: Mapping[str, str]) -> str:
    """Make the editor; their password."""
    argv = [sys.executable, "-m", "admin_service.commands.create_admin", EMAIL, "--role", "editor"]
    done = subprocess.run(
        argv, cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True, text=True
    )
    return done.stdout.split()[-1]


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/admin/monitoring/ready").status_code == 200
    except httpx.TransportError:
        return False


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000
