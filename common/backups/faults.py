"""What can be wrong with a backup, said so that it can be mended."""

from __future__ import annotations


class BackupFault(Exception):
    """A backup cannot be made, read or believed; the message is one line and names what is at fault."""


class RepositoryMissing(BackupFault):
    """There is no repository where one should be."""
