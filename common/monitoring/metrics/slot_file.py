"""One file of numbers, in the format of prometheus_client's multiprocess mode, made safe to live with."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

FIRST_BYTES = 1 << 16
LONGEST_KEY_BYTES = 1 << 12
_HEAD_BYTES, _NUMBER_BYTES = 8, 16
_LENGTH, _NUMBER = struct.Struct("i"), struct.Struct("dd")


class Damaged(Exception):
    """A file that is not what its writer left."""


class SlotFile(MmapedDict):
    """prometheus_client's file, whose blocks are on the disk before anything is written to them.

    A write into a mapped file for which the disk has no block left ends the process (SIGBUS). Every verb may
    raise OSError instead; the file is then as it was.
    """

    def __init__(self, path: Path) -> None:
        _allocate(path)
        super().__init__(str(path))  # type: ignore[no-untyped-call]

    def cell(self, key: str) -> memoryview[float]:
        """Where the number of `key` and its stamp stand; it gets a place, and 0, when it has none.

        Each of the two is written in one piece: a reader, and who comes after a killed process, sees the old
        one or the new one. Forget the cells before the file is closed.
        """
        self.read_value(key)  # type: ignore[no-untyped-call]
        place: int = self._positions[key]
        return memoryview(self._m)[place : place + _NUMBER_BYTES].cast("d")

    def _init_value(self, key: str) -> None:
        if len(key.encode()) > LONGEST_KEY_BYTES:
            raise OSError(f"a name and its labels of more than {LONGEST_KEY_BYTES} bytes")
        if self._used + LONGEST_KEY_BYTES + 64 > self._capacity:
            os.posix_fallocate(self._f.fileno(), 0, self._capacity * 2)
            # The base class doubles what it maps as soon as an entry does not fit.
        super()._init_value(key)  # type: ignore[no-untyped-call]


def read_numbers(path: Path) -> Iterator[tuple[str, float, float]]:
    """The keys of a file with their numbers and time stamps. Raises Damaged, and OSError.

    prometheus_client's own reader trusts what it reads, and may go round in circles in a damaged file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if not any(head):  # its writer died before it had written anything
            return
        used = _LENGTH.unpack_from(head)[0] if len(head) == _HEAD_BYTES else 0
        data = head + file.read(max(0, used - _HEAD_BYTES))
    if used < _HEAD_BYTES or len(data) < used:
        raise Damaged(f"{path.name} is cut off")
    place = _HEAD_BYTES
    while place < used:
        length = _LENGTH.unpack_from(data, place)[0] if place + 4 <= used else 0
        number_at = place + 4 + length + (8 - (length + 4) % 8)
        if not 0 < length <= LONGEST_KEY_BYTES or number_at + _NUMBER_BYTES > used:
            raise Damaged(f"{path.name} is damaged at byte {place}")
        try:
            key = data[place + 4 : place + 4 + length].decode()
        except UnicodeDecodeError as error:
            raise Damaged(f"{path.name} is damaged at byte {place}") from error
        number, stamp = _NUMBER.unpack_from(data, number_at)
        yield key, number, stamp
        place = number_at + _NUMBER_BYTES


def _allocate(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, max(FIRST_BYTES, os.fstat(descriptor).st_size))
    finally:
        os.close(descriptor)
