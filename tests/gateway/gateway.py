"""Start the rendered nginx, and speak to it byte by byte where a polite client would not."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.process import ROOT, Process, free_port

RENDER = ROOT / "nginx" / "render.py"
SETTINGS = [
    "BIND_HOST",
    "CORS_ORIGINS",
    "DATA_DIR",
    "GATEWAY_BURST",
    "GATEWAY_PORT",
    "GATEWAY_RATE",
    "GATEWAY_TLS_CERT",
    "GATEWAY_TLS_KEY",
    "MONITORING_ALLOW",
    "PAYMENT_PORT",
    "PUBLIC_URL",
    "TICKETING_PORT",
    "TRUSTED_PROXIES",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, headers in order, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header; the letter case of the name is ignored."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a header that must be there exactly once."""
        values = self.all(name)
        assert len(values) == 1, f"{name} is there {len(values)} times: {self.headers}"
        return values[0]

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def received(self, name: str) -> list[str]:
        """Every value of a header that the echoing upstream received."""
        return [value for key, value in self.json()["headers"] if key.lower() == name.lower()]


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting of the gateway but the given ones."""
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return {**inherited, **settings}


def run_render(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script to its end."""
    return subprocess.run(
        [sys.executable, str(RENDER), *arguments],
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


class Gateway:
    """One nginx on a free port. `edits` changes figures of the written configuration, such as a time-out."""

    def __init__(
        self,
        data_dir: Path,
        settings: Mapping[str, str],
        edits: Mapping[str, str] | None = None,
        *arguments: str,
    ) -> None:
        self.port = free_port()
        self.run_dir = data_dir / "gateway"
        environment = {"DATA_DIR": str(data_dir), "GATEWAY_PORT": str(self.port), **settings}
        self.environment, self.arguments = environment, ("--access-log", "file", *arguments)
        argv = [sys.executable, str(RENDER), "--exec", *self.arguments]
        if edits:
            rendered = run_render(*self.arguments, **environment)
            assert rendered.returncode == 0, rendered.stderr
            self._edit(edits)
            argv = [
                "/usr/sbin/nginx",
                "-p",
                str(self.run_dir),
                "-e",
                "stderr",
                "-c",
                f"{self.run_dir}/nginx.conf",
            ]
        # `env -u` and not a clean dict: the process class lays what it gets over this process's environment.
        unset = [word for name in SETTINGS if name not in environment for word in ("-u", name)]
        self.process = Process(["env", *unset, *argv], env=environment, name="nginx").start()
        self.process.wait_for_port(self.port)

    def render_again(self, **settings: str) -> None:
        """Write the configuration anew, with some settings changed, as one does before SIGHUP."""
        rendered = run_render(*self.arguments, **{**self.environment, **settings})
        assert rendered.returncode == 0, rendered.stderr

    def _edit(self, edits: Mapping[str, str]) -> None:
        for before, after in edits.items():
            files = [file for file in self.run_dir.rglob("*.conf") if before in file.read_text()]
            assert len(files) == 1, f"{before!r} is in {files}"
            files[0].write_text(files[0].read_text().replace(before, after))

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        client: str = "127.0.0.1",
    ) -> Answer:
        """Send one request from a loopback address of one's choice; the path goes out as it is."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(client, 0)
        )
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, client: str = "127.0.0.1"
    ) -> Answer:
        """GET, see `request`."""
        return self.request("GET", path, headers, client=client)

    def raw(self, request: bytes) -> Answer:
        """Send bytes, whatever they are, and read the one answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            with contextlib.closing(http.client.HTTPResponse(connection)) as response:
                response.begin()
                return Answer(response.status, response.getheaders(), response.read())

    def log(self) -> list[dict[str, Any]]:
        """The access log, each line parsed."""
        lines = (self.run_dir / "access.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """Hold one of nginx's own errors to RFC 9457 and the gateway's rules."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.one("Content-Type") == "application/problem+json"
    assert answer.one("Cache-Control") == "no-store"
    assert answer.one("X-Content-Type-Options") == "nosniff"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "instance", "code"}
    assert (document["type"], document["status"], document["code"]) == ("about:blank", status, code)
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == answer.one("X-Request-Id")
