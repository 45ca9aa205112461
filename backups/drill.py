"""The drill: the newest backup, restored into a scratch place, must be a shop that sells."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import httpx

from backups.plan import TAG, Place, alone
from backups.restoring import LATEST, Restored, restore
from backups.sale import Sale
from backups.scratch import Scratch, ScratchMariadb, environment, free_port
from backups.scratch_mongodb import ScratchMongodb
from common.backups.faults import BackupFault
from common.backups.manifest import NAME, Manifest
from common.backups.restic import Restic
from common.backups.state import read_state
from common.clock import Clock, system_clock
from common.web.schemas import instant_text

T = TypeVar("T")
Tell = Callable[[str], None]

PREFIXES = {"ticketing": "/api/v1", "admin": "/api/admin"}
SERVERS: Mapping[str, Callable[[Scratch], ScratchMariadb | ScratchMongodb]] = {
    "mariadb": ScratchMariadb,
    "mongodb": ScratchMongodb,
}
ACCOUNT = "restore-drill@example.org"


@dataclass(slots=True)
class Report:
    """What came of a drill, step by step; `fault` is empty when it went well."""

    started_at: str
    steps: list[dict[str, Any]] = field(default_factory=list)
    snapshot: str = ""
    backup_at: str = ""
    rows: int = 0
    fault: str = ""

    def step(self, name: str, tell: Tell, do: Callable[[], T], result: Callable[[T], str]) -> T:
        """Do one step and note how long it took. Raises what it raises."""
        tell(name)
        began = time.monotonic()
        try:
            found = do()
        except (BackupFault, OSError) as error:
            self._note(name, began, str(error), ok=False)
            raise
        self._note(name, began, result(found), ok=True)
        return found

    def document(self, ended_at: str) -> dict[str, Any]:
        """For the state, and for who asks."""
        return {
            "ok": not self.fault,
            "at": ended_at,
            "startedAt": self.started_at,
            "snapshot": self.snapshot,
            "backupAt": self.backup_at,
            "rows": self.rows,
            "steps": self.steps,
            "fault": self.fault,
        }

    def _note(self, name: str, began: float, result: str, *, ok: bool) -> None:
        seconds = round(time.monotonic() - began, 1)
        self.steps.append({"name": name, "ok": ok, "seconds": seconds, "result": result[:500]})


def drill(place: Place, restic: Restic, tell: Tell, *, clock: Clock = system_clock) -> dict[str, Any]:
    """Restore the newest backup of `place` elsewhere and use it; the report, whatever came of it."""
    report = Report(started_at=instant_text(clock()))
    try:
        # no backup is made meanwhile: the check of the repository must have it alone
        with alone(place), _folder(place) as folder, Scratch(folder) as scratch:
            _run(place, restic, scratch, report, tell)
    except (BackupFault, OSError) as error:
        report.fault = str(error)
    return report.document(instant_text(clock()))


def _run(place: Place, restic: Restic, scratch: Scratch, report: Report, tell: Tell) -> None:
    report.step(
        "read all of the repository", tell, lambda: _sound(place, restic), lambda _: "every byte is right"
    )
    target = scratch.folder / "data"
    target.mkdir(mode=0o700)
    there = report.step(
        "prepare a scratch place", tell, lambda: _scratch_place(restic, scratch, target), lambda _: "empty"
    )
    restored = report.step(
        "restore the newest backup and compare it with its manifest",
        tell,
        lambda: restore(there, restic, LATEST, lambda _: None),
        _same,
    )
    report.snapshot, report.rows = restored.snapshot.id, restored.manifest.rows
    report.backup_at = restored.manifest.finished_at
    ports = {service: free_port() for service in PREFIXES}
    urls = {service: url for services, url in there.databases.items() for service in services}
    env = environment(target, ports, urls)

    def each(command: str) -> str:
        return " ".join(
            scratch.run(f"{service}_service.commands.{command}", env=env).strip() for service in PREFIXES
        )

    report.step("bring the schema to this release", tell, lambda: each("migrate"), str)
    report.step("check the invariants", tell, lambda: each("verify"), str)
    account = _account(scratch, env)
    report.step("start the services", tell, lambda: _start(scratch, env, ports), lambda _: "both are ready")
    bases = {service: f"http://127.0.0.1:{ports[service]}{prefix}" for service, prefix in PREFIXES.items()}
    sale = Sale(bases["ticketing"], bases["admin"], account)
    report.step("make a sale", tell, sale.run, str)
    verify = "ticketing_service.commands.verify"
    report.step("check the invariants again", tell, lambda: scratch.run(verify, env=env).strip(), str)


def _sound(place: Place, restic: Restic) -> None:
    restic.check(read_data=True)
    good = (read_state(place.folder) or {}).get("good")
    known = restic.snapshots(TAG)
    if good and not any(each.id.startswith(good["snapshot"]) for each in known):
        raise BackupFault(
            f"the backup {good['snapshot'][:8]} of {good['at']} is not in {restic.shown} any more"
        )


def _scratch_place(restic: Restic, scratch: Scratch, target: Path) -> Place:
    """A place like the one that the newest backup is of."""
    found = restic.snapshots(TAG)
    if not found:
        raise BackupFault(f"there is no backup in {restic.shown}")
    manifest = Manifest.of(restic.read(found[-1].id, f"/{NAME}"))
    servers: dict[str, ScratchMariadb | ScratchMongodb] = {}
    urls = {}
    for facts in manifest.databases:
        name = "-".join(facts.services)
        if facts.kind == "sqlite":
            urls[facts.services] = f"sqlite:///{target / name}.sqlite3"
        else:
            if facts.kind not in servers:
                servers[facts.kind] = SERVERS[facts.kind](scratch)
            urls[facts.services] = servers[facts.kind].new_database(name.replace("-", "_"))
    return Place(data_dir=target, databases=urls)


def _same(restored: Restored) -> str:
    tables = sum(len(each.tables) for each in restored.manifest.databases)
    return f"{restored.manifest.rows} rows in {tables} tables have the digests that they were saved with"


def _account(scratch: Scratch, env: dict[str, str]) -> dict[str, str]:
    """Of somebody who is there in the scratch place alone."""
    words = [ACCOUNT, "--role", "platform_admin", "--role", "ticket_manager"]
    # an address of its own, should an earlier drill's place have been backed up
    words[0] = f"{time.time_ns()}-{ACCOUNT}"
    email, password = scratch.run("admin_service.commands.create_admin", *words, env=env).split()
    return {"email": email, "password": password}


def _start(scratch: Scratch, env: dict[str, str], ports: dict[str, int]) -> None:
    """The web processes alone: a worker would do again what the restored outbox says."""
    for service in ("admin", "ticketing"):
        words = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", f"{service}_service.wsgi:app"]
        scratch.start(service, words, {**env, "SERVICE": service})
    for service, prefix in PREFIXES.items():
        url = f"http://127.0.0.1:{ports[service]}{prefix}/monitoring/ready"
        scratch.wait_until(service, lambda url=url: _answers(url))  # type: ignore[misc]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _folder(place: Place) -> Any:
    """On the disk of the data, which they fit on."""
    for left in place.folder.glob("drill-*"):
        # of one that was killed; no other can be under way
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix="drill-", dir=place.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
