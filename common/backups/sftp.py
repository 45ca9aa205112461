"""How restic reaches a repository over SFTP: by OpenSSH's `ssh`, with a key and known hosts of its own."""

from __future__ import annotations

import shlex
from urllib.parse import unquote, urlsplit

from common.backups.faults import BackupFault

SCHEME = "sftp:"


def sftp_options(location: str, identity: str, known_hosts: str) -> tuple[str, ...]:
    """Options of restic for the repository at `location`, `sftp:user@host:folder` or
    `sftp://user@host:port/folder`; none where it is elsewhere, or ssh is left to the user's own settings.
    Raises BackupFault for a location that names no host.

    Args:
        identity: the file with the private key; empty: what the user's own ssh would take.
        known_hosts: the file with the host's public key; empty: the user's own.
    """
    if not location.startswith(SCHEME) or not (identity or known_hosts):
        return ()
    host, port = _server(location)
    # nobody is there to be asked, and a host that is not known is no place for a backup
    words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    if identity:
        words += ["-o", "IdentitiesOnly=yes", "-i", identity]
    if known_hosts:
        words += ["-o", f"UserKnownHostsFile={known_hosts}"]
    if port is not None:
        words += ["-p", str(port)]
    return ("-o", f"sftp.command={shlex.join([*words, host, '-s', 'sftp'])}")


def _server(location: str) -> tuple[str, int | None]:
    """`user@host`, and the port if there is one."""
    if not location.startswith("sftp://"):
        host, port = location.removeprefix(SCHEME).partition(":")[0], None
    else:
        try:
            parts = urlsplit(location)
            port = parts.port
        except ValueError as error:
            raise BackupFault(f"BACKUP_REPOSITORY: {error}") from error
        user = f"{unquote(parts.username)}@" if parts.username else ""
        host = f"{user}{parts.hostname}" if parts.hostname else ""
    # what begins with a dash would be an option of ssh
    if not host or host.startswith("-"):
        raise BackupFault("BACKUP_REPOSITORY names no host: sftp:user@host:folder")
    return host, port
