"""An SSH server of our own that gives files alone: free port, its own host key, one user with one key."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.servers.process import Process, port_is_open
from tests.servers.server import Server, program

NOBODY = "nobody"
"""Who runs it, and signs in, when the tests are run by root: a server of root's would need a folder of the
system's."""


class Sshd(Server):
    """`with Sshd() as server:`; `server.user` may sign in with the key `server.identity`, by SFTP alone, and
    finds the server in `server.known_hosts`.
    """

    def __init__(self) -> None:
        super().__init__("sshd")
        is_root = os.getuid() == 0
        self.user = NOBODY if is_root else getpass.getuser()
        self.files = self.folder / "files"
        """For what it is to keep."""
        self.files.mkdir()
        self.identity, host_key = self._key("identity"), self._key("host")
        self.known_hosts = self.folder / "known_hosts"
        kind, key, *_ = host_key.with_suffix(".pub").read_text().split()
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {kind} {key}\n")
        keys = self.folder / "authorized_keys"
        shutil.copy(self.identity.with_suffix(".pub"), keys)
        config = self.folder / "sshd_config"
        config.write_text(
            f"ListenAddress {self.host}\nPort {self.port}\nHostKey {host_key}\nPidFile none\n"
            f"AuthorizedKeysFile {keys}\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        )
        argv = [program("sshd", "openssh-server"), "-D", "-e", "-f", str(config)]
        if is_root:
            self.folder.chmod(0o755)
            for each in (self.files, host_key):
                shutil.chown(each, NOBODY)
            argv = ["setpriv", f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", "--", *argv]
        self.process = Process(argv, name="sshd")

    def start(self) -> Self:
        """Start (again, on the same port), and wait until it takes connections."""
        self.process.start()
        self.process.wait_until(lambda: port_is_open(self.port), seconds=60)
        return self

    def _key(self, name: str) -> Path:
        path = self.folder / name
        words = [program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
        subprocess.run(words, check=True)
        return path
