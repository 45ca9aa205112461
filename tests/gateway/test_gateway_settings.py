from __future__ import annotations

import datetime as dt
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import SETTINGS, assert_problem, run_render
from tests.servers.process import ROOT, Process, eventually, free_port

EVERYTHING = {
    "BIND_HOST": "127.0.0.1",
    "CORS_ORIGINS": "https://a.example, http://localhost:8080,https://a.example",
    "MONITORING_ALLOW": "10.0.0.0/8,127.0.0.1,2001:db8::/32,::1,127.0.0.1",
    "TRUSTED_PROXIES": "10.1.0.0/16,10.0.0.0/8,fd00::/8",
    "GATEWAY_RATE": "7",
    "GATEWAY_BURST": "1",
    "PUBLIC_URL": "https://Tickets.example.org:8443/",
}


@pytest.mark.parametrize("settings", [{}, EVERYTHING, {"BIND_HOST": "::"}, {"BIND_HOST": "0.0.0.0"}])
def test_nginx_accepts_the_configuration_without_a_warning(tmp_path: Path, settings: dict[str, str]) -> None:
    data_dir = tmp_path / "with a space"
    checked = run_render("--check", DATA_DIR=str(data_dir), **settings)
    assert checked.returncode == 0, checked.stderr
    assert [line.rpartition(" ")[2] for line in checked.stderr.splitlines()] == ["ok", "successful"]
    assert list(tmp_path.iterdir()) == [data_dir]
    assert [entry.name for entry in data_dir.iterdir()] == ["gateway"]
    assert (data_dir / "gateway").stat().st_mode & 0o777 == 0o700
    # Twice in one folder is what a restart does.
    assert run_render("--check", DATA_DIR=str(data_dir), **settings).returncode == 0


@pytest.mark.parametrize(
    "name, value",
    [
        ("GATEWAY_PORT", "tcp://10.0.0.1:3001"),
        ("GATEWAY_PORT", "0"),
        ("GATEWAY_PORT", "65536"),
        ("TICKETING_PORT", "3004; } server { listen 1;"),
        ("PAYMENT_PORT", "\u0663\u0660\u0660\u0665"),
        ("BIND_HOST", "127.0.0.1; root /etc"),
        ("BIND_HOST", "fe80::1%x;evil"),
        ("BIND_HOST", "gateway"),
        ("DATA_DIR", 'x"; load_module "evil.so'),
        ("DATA_DIR", "$document_root"),
        ("DATA_DIR", "a\nb"),
        ("MONITORING_ALLOW", "all"),
        ("MONITORING_ALLOW", "0.0.0.0/0 1; } geo $x $y {"),
        ("MONITORING_ALLOW", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "fe80::1%;evil/128"),
        ("TRUSTED_PROXIES", "10.0.0.0/8;"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "https://a.example/"),
        ("CORS_ORIGINS", 'https://a" 1; "~.*'),
        ("CORS_ORIGINS", "https://a.example$host"),
        ("GATEWAY_RATE", "20r/s"),
        ("GATEWAY_RATE", "-1"),
        ("GATEWAY_BURST", "1e3"),
        ("PUBLIC_URL", "https://a.example/path"),
        ("PUBLIC_URL", "ftp://a.example"),
        ("PUBLIC_URL", 'https://a"; return 200'),
        ("GATEWAY_TLS_CERT", "/etc/hostname"),
        ("GATEWAY_TLS_KEY", "/does/not/exist"),
    ],
)
def test_an_impossible_setting_is_one_clear_line_and_writes_nothing(
    tmp_path: Path, name: str, value: str
) -> None:
    refused = run_render("--exec", **{"DATA_DIR": str(tmp_path / "data"), name: value})
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.startswith("gateway: ")
    assert "GATEWAY_TLS_" in line if name.startswith("GATEWAY_TLS_") else name in line
    assert not (tmp_path / "data").exists()


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run_render("--exec", DATA_DIR=str(tmp_path), GATEWAY_PORT=port)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert f"port {port}" in line


def test_a_data_dir_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run_render("--exec", DATA_DIR=str(tmp_path / "file"))
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1


@pytest.fixture
def shared_dir() -> Iterator[Path]:
    """A folder that another user may enter (pytest's own are closed)."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_runs_as_a_normal_user_and_leaves_nothing_behind(shared_dir: Path) -> None:
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    # A copy, for a checkout below a closed home folder; and Debian's own Python, which everybody may run.
    shutil.copytree(ROOT / "nginx", shared_dir / "nginx")
    (shared_dir / "data").mkdir()
    os.chown(shared_dir / "data", *((65534, 65534) if as_nobody else (-1, -1)))
    port = free_port()
    unset = [word for name in SETTINGS for word in ("-u", name)]
    settings = [f"DATA_DIR={shared_dir}/data", f"GATEWAY_PORT={port}", "PATH=/usr/bin:/bin"]
    script: list[str | Path] = [shared_dir / "nginx" / "render.py", "--exec", "--access-log", "file"]
    with Process([*as_nobody, "env", *unset, *settings, "python3", *script], cwd=shared_dir) as process:
        process.wait_for_port(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        # A body that nginx has to write to its temp folder.
        connection.request("POST", "/api/v1/x", body=b"x" * 500_000)
        assert connection.getresponse().status == 503
        connection.close()
        below = process.children()
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in [process.pid, *below]}
        assert owners == {65534 if as_nobody else os.geteuid()}
        assert process.stop() == 0
        assert process.output() == ""
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
    assert sorted(path.name for path in shared_dir.iterdir()) == ["data", "nginx"]
    assert not (shared_dir / "data/gateway/nginx.pid").exists()


def test_the_access_log_goes_to_standard_output_by_default(tmp_path: Path) -> None:
    port = free_port()
    with Process(
        [sys.executable, ROOT / "nginx/render.py", "--exec"],
        env={"DATA_DIR": str(tmp_path), "GATEWAY_PORT": str(port)},
    ) as process:
        process.wait_for_port(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/?t=secret")
        assert connection.getresponse().status == 200
        connection.close()
        eventually(lambda: '"status":200' in process.output())
        assert "secret" not in process.output()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_tls_is_offered_with_http2_and_strict_transport(
    start_gateway: StartGateway, certificate: tuple[Path, Path]
) -> None:
    gateway = start_gateway(GATEWAY_TLS_CERT=str(certificate[0]), GATEWAY_TLS_KEY=str(certificate[1]))
    context = ssl.create_default_context(cafile=str(certificate[0]))
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
        assert secured.version() == "TLSv1.3"
    context.set_alpn_protocols(["http/1.1"])
    connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=5, context=context)
    connection.request("GET", "/api/v1/own-headers")
    response = connection.getresponse()
    assert response.getheader("Strict-Transport-Security") == "max-age=31536000"
    assert b'["X-Forwarded-Proto", "https"]' in response.read()
    connection.close()
    plain_answer = gateway.get("/")
    assert_problem(plain_answer, 400, "BAD_REQUEST")
    old = [
        "openssl",
        "s_client",
        "-tls1_1",
        "-cipher",
        "ALL@SECLEVEL=0",
        "-connect",
        f"127.0.0.1:{gateway.port}",
    ]
    assert subprocess.run(old, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0
