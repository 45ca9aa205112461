"""`make run`: the whole product on this machine, in the foreground, with a small destination in it.

Settings are those of the services, from the environment; the defaults need nothing else: a folder `.data`,
SQLite, ports 3001 to 3005. RESET=1 starts anew. One process ending ends all; so does Ctrl-C.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo import data_folder, ports
from demo.processes import ChildEnded, Console, StopRequested, Supervisor
from demo.reselling import FILE as KEYS_FILE
from demo.reselling import LIVE, read_keys
from demo.staff import ADMINISTRATOR, FILE, address, read_staff

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_PORTS = {"GATEWAY_PORT": 3001, "ADMIN_PORT": 3003, "TICKETING_PORT": 3004, "PAYMENT_PORT": 3005}
DEFAULT_DATA_DIR = ROOT / ".data"
READY_SECONDS = 60.0
MIGRATIONS = {
    "ticketing": "ticketing_service.commands.migrate",
    "admin": "admin_service.commands.migrate",
}
ANSWERING = (
    ("the payment sandbox", "PAYMENT_PORT", "/health"),
    ("ticketing", "TICKETING_PORT", "/api/v1/monitoring/ready"),
    ("admin", "ADMIN_PORT", "/api/admin/monitoring/ready"),
    ("the gateway", "GATEWAY_PORT", "/api/v1/tickets?limit=1"),
)
"""What is waited for: its name, its port, and a path that is answered with 200."""


class SetupError(Exception):
    """The run cannot start; the message is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What `make run` was asked for."""

    data_dir: Path
    host: str
    ports: Mapping[str, int]
    reset: bool

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of all processes: what the user set goes before our defaults."""
        payment = f"http://{self.host}:{self.ports['PAYMENT_PORT']}"
        admin = f"http://{self.host}:{self.ports['ADMIN_PORT']}"
        defaults = {
            "BIND_HOST": self.host,
            "ENVIRONMENT": "development",
            "PUBLIC_URL": f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}",
            "PAYMENT_API_URL": payment,
            "ADMIN_API_URL": admin,
            "JWKS_SOURCE": f"{admin}/.well-known/jwks.json",
            "POI_DIRECTORY": admin,
            **data_folder.run_secrets(self.data_dir, environ),
        }
        fixed = {"DATA_DIR": str(self.data_dir), **{name: str(port) for name, port in self.ports.items()}}
        path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
        return {
            **defaults,
            **{name: value for name, value in environ.items() if value},
            **fixed,
            "PATH": path,
        }

    @property
    def overrides(self) -> str:
        """What to put in front of `make try` so that it finds this run: empty for the defaults."""
        chosen = []
        if self.ports["GATEWAY_PORT"] != DEFAULT_PORTS["GATEWAY_PORT"]:
            chosen.append(f"GATEWAY_PORT={self.ports['GATEWAY_PORT']} ")
        if self.data_dir != DEFAULT_DATA_DIR:
            chosen.append(f"DATA_DIR={shlex.quote(str(self.data_dir))} ")
        return "".join(chosen)

    def url(self, port_name: str, path: str) -> str:
        """An address for this machine's user."""
        return f"http://127.0.0.1:{self.ports[port_name]}{path}"


def read_run(environ: Mapping[str, str]) -> Run:
    """Read what concerns the run itself. Raises SetupError."""
    return Run(
        data_dir=Path(environ.get("DATA_DIR") or DEFAULT_DATA_DIR).resolve(),
        host=environ.get("BIND_HOST") or "127.0.0.1",
        ports={name: _port(environ, name, default) for name, default in DEFAULT_PORTS.items()},
        reset=environ.get("RESET", "").lower() in ("1", "true", "yes"),
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise SetupError(f"{name}={text}: expected a port from 1 to 65535")
    return int(text)


def procfile() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return each process of the Procfile: its words, and the variables set in front of them."""
    processes = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        words = shlex.split(command)
        env = {}
        while words and "=" in words[0]:
            key, _, value = words.pop(0).partition("=")
            env[key] = value
        if words:
            # Found beside this Python: what is first in PATH may be another environment's.
            words[0] = shutil.which(words[0], path=str(Path(sys.executable).parent)) or words[0]
            processes[name.strip()] = (words, env)
    return processes


def answers(host: str, port: int, path: str) -> bool:
    """Tell whether a GET is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start_all(run: Run, supervisor: Supervisor) -> None:
    """Migrate, start every process, wait for those that answer, and load the destination."""
    processes = {name: words for name, words in procfile().items() if name != "release"}
    supervisor.start("payment-sandbox", [sys.executable, "-m", "payment_sandbox"])
    # The gateway connects to this machine, whatever address the services listen on.
    admin = f"admin=127.0.0.1:{run.ports['ADMIN_PORT']}"
    gateway = [sys.executable, "nginx/render.py", "--exec", "--access-log", "file", "--upstream", admin]
    supervisor.start("gateway", gateway, front=True)
    # The release step of the Procfile, side by side: neither needs the other, both are the start of a Python.
    supervisor.run({f"migrate {name}": [sys.executable, "-m", module] for name, module in MIGRATIONS.items()})
    workers = [name for name in processes if name.endswith("-worker")]
    _start(supervisor, {name: words for name, words in processes.items() if name not in workers})
    for what, port_name, path in ANSWERING:
        port = run.ports[port_name]
        supervisor.wait_until(f"{what} (port {port})", partial(answers, run.host, port, path), READY_SECONDS)
    # Nobody waits for the workers, so they do not take the time of those that somebody waits for.
    _start(supervisor, {name: processes[name] for name in workers})
    supervisor.run({"seed": [sys.executable, "-m", "demo.seed"]})


def _start(supervisor: Supervisor, processes: Mapping[str, tuple[list[str], dict[str, str]]]) -> None:
    for name, (argv, env) in processes.items():
        supervisor.start(name, argv, env)


def welcome(run: Run, console: Console, seconds: float, *, first: bool) -> None:
    """Print where to look, how to sign in and what to try. The administrator's password and the reseller's
    key are printed at the `first` start, and to a terminal only: they are in files as well.
    """
    staff, gateway = run.data_dir / FILE, run.url("GATEWAY_PORT", "/api/v1")
    lines = [
        "",
        f"Ready in {seconds:.1f} s. Ctrl-C stops everything. Data: {run.data_dir} (RESET=1 starts anew).",
        "",
        f"  the shop's API        {gateway}/tickets?lang=en",
        f"  how it is used        {gateway}/docs",
        f"  staff's API           {gateway}/admin/docs",
        f"  what visitors see     {gateway}/platform/pois?lang=en",
        f"  health                {run.url('GATEWAY_PORT', '/health/all')}",
        f"  users and passwords   {staff} (one user for each role)",
    ]
    lines.append(f"  a reseller's keys     {run.data_dir / KEYS_FILE} (over OCTO at {gateway}/octo)")
    if not os.environ.get("SMTP_URL"):
        lines.append(f"  mail that is sent     {run.data_dir / 'mail'}")
    if first and console.is_terminal:
        password = read_staff(run.data_dir)[ADMINISTRATOR].password
        lines.append(f"  the administrator     {address(ADMINISTRATOR)} {password}")
        lines.append(f"  the reseller          {read_keys(run.data_dir).get(LIVE, '')}")
    lines += [
        "",
        "Try, in another terminal:",
        f"  {run.overrides}make try",
        f"  curl '{gateway}/tickets?q=museum&limit=3'",
        "Sign in, here as the editor:",
        f"  {sign_in_command(gateway, staff)}",
        "",
    ]
    for line in lines:
        console.line(line)


def sign_in_command(gateway: str, staff: Path, role: str = "editor") -> str:
    """To be pasted into a shell: no password is in it, nor in the list of processes."""
    return f"sed -n 's/^{role} //p' {shlex.quote(str(staff))} | curl --json @- {gateway}/admin/auth/login"


def supervise(run: Run, console: Console, environ: Mapping[str, str]) -> int:
    """Start everything and stay until the end; return the exit status."""
    began, first = time.monotonic(), not (run.data_dir / FILE).exists()
    with Supervisor(run.environment(environ), ROOT, console) as supervisor:
        try:
            start_all(run, supervisor)
            welcome(run, console, time.monotonic() - began, first=first)
            supervisor.watch()
        except StopRequested as stop:
            console.line(f"{stop}: stopping")
            return 0
        except ChildEnded as end:
            console.line(str(end))
            return 1
    return 0


def main() -> int:
    """Check first, then start; 2 when it cannot start."""
    console = Console()
    try:
        run = read_run(os.environ)
        busy = [ports.busy_port(name, run.host, port) for name, port in run.ports.items()]
        for problem in (ports.clash(run.ports), *busy):
            if problem:
                raise SetupError(problem)
        with data_folder.locked(run.data_dir):
            if run.reset:
                data_folder.empty(run.data_dir)
            return supervise(run, console, os.environ)
    except (SetupError, data_folder.FolderError) as error:
        sys.stderr.write(f"make run: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
