"""Measurements of backups: against the database's own programs, on the same data, verification apart."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from backups.plan import Place
from backups.restoring import restore
from backups.taking import take
from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure, interleaved
from benchmarks.fill import fill
from benchmarks.site import running, sell_one
from common.backups.mariadb import MariadbCopying
from common.backups.restic import Repository, Restic

ROUNDS = 3
PASSWORD = "a password of a benchmark"
SERVICES = ("ticketing",)


@dataclass(slots=True)
class Watch:
    """Notes when each stage begins; is told of them as a person at a terminal is."""

    began: float = field(default_factory=time.perf_counter)
    stages: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.stages.append((text, time.perf_counter()))

    def seconds(self, *verifying: str) -> tuple[float, float]:
        """Of the whole without verification, and of that alone: of the stages whose names begin so."""
        ended = time.perf_counter()
        bounds = [("before", self.began), *self.stages, ("", ended)]
        apart = sum(after - at for (name, at), (_, after) in pairwise(bounds) if name.startswith(verifying))
        return ended - self.began - apart, apart


def measure_backup(databases: Databases, bookings: int) -> list[Figure]:
    """A backup into an empty repository against `mariadb-dump | zstd`, a restore against `mariadb < dump`."""
    with running(databases) as site:
        fill(site.url, sell_one(site, site.sells.free), bookings - 1)
        url = site.url
    databases.settle(url)
    with TemporaryDirectory(prefix="bench-backup-", dir=databases.folder) as name:
        folder = Path(name)
        made = folder / "made"
        _restic(made).create()
        plain = folder / "dump.sql"
        MariadbCopying(url, SERVICES).save(plain)
        size = plain.stat().st_size / 1e6
        place = Place(data_dir=folder / "data", databases={SERVICES: url})
        sides: dict[str, Callable[[], tuple[float, float]]] = {
            "dump": lambda: _dumped(url, folder),
            "backup": lambda: _backed_up(place, made, folder),
            "load": lambda: _loaded(databases, plain),
            "restore": lambda: _restored(databases, folder),
        }
        found = interleaved(ROUNDS, sides)
    seconds = {name: median(each for each, _ in times) for name, times in found.items()}
    verifying = {name: median(each for _, each in times) for name, times in found.items()}
    return [
        Figure(
            name=name,
            value=size / seconds[ours],
            unit="MB/s",
            floor=size / seconds[floor],
            floor_is=floor_is,
            aim=Aim("ratio", "at least", 0.7),
            facts={
                "bookings": bookings,
                "megabytes": round(size),
                "seconds": round(seconds[ours], 2),
                "verificationAndUpkeepSeconds": round(verifying[ours], 2),
            },
        )
        for name, ours, floor, floor_is in (
            ("backup: encrypted, compressed, in a repository", "backup", "dump", "mariadb-dump | zstd"),
            ("restore of that", "restore", "load", "mariadb < dump"),
        )
    ]


def _dumped(url: str, folder: Path) -> tuple[float, float]:
    copier = MariadbCopying(url, SERVICES)
    target = folder / "dump.sql.zst"
    with copier.settings_file() as settings, target.open("wb") as file:
        began = time.perf_counter()
        words = ["mariadb-dump", f"--defaults-file={settings}", "--single-transaction", copier.database]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as dump:
            subprocess.run(["zstd", "-q", "-c"], stdin=dump.stdout, stdout=file, check=True)
        seconds = time.perf_counter() - began
    if dump.returncode != 0:
        raise AssertionError("mariadb-dump failed")
    return seconds, 0.0


def _backed_up(place: Place, made: Path, folder: Path) -> tuple[float, float]:
    """Into a repository in which nothing is: no part of it is known already."""
    shutil.rmtree(folder / "repository", ignore_errors=True)
    shutil.copytree(made, folder / "repository")
    watch = Watch()
    take(place, _restic(folder / "repository"), watch)
    return watch.seconds("counting", "removing")


def _loaded(databases: Databases, dump: Path) -> tuple[float, float]:
    copier = MariadbCopying(_empty(databases), SERVICES)
    began = time.perf_counter()
    copier.load(dump)
    return time.perf_counter() - began, 0.0


def _restored(databases: Databases, folder: Path) -> tuple[float, float]:
    target = folder / "restored"
    shutil.rmtree(target, ignore_errors=True)
    place = Place(data_dir=target, databases={SERVICES: _empty(databases)})
    watch = Watch()
    restore(place, _restic(folder / "repository"), "latest", watch)
    return watch.seconds("before", "comparing")


def _empty(databases: Databases) -> str:
    if databases.server is None:
        raise ValueError("the floors are MariaDB's programs")
    return databases.server.new_database("bench")


def _restic(folder: Path) -> Restic:
    return Restic(Repository(location=str(folder), password=PASSWORD, cache=folder.with_name("restic-cache")))
