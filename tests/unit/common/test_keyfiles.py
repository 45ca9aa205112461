"""Key folders: made once, shared by all, private."""

from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta

import pytest

from common.auth.keyfiles import KeyFolderError, KeyRing, SecretRing


def _newest(folder, results):
    results.put(SecretRing(folder).newest()[0])


def test_many_processes_that_start_at_once_make_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    starters = [context.Process(target=_newest, args=(tmp_path / "keys", results)) for _ in range(8)]
    for process in starters:
        process.start()
    seen = {results.get(timeout=30) for _ in starters}
    for process in starters:
        process.join()
    assert len(seen) == 1
    assert len(list((tmp_path / "keys").glob("*.key"))) == 1


def test_keys_are_for_their_owner_only(tmp_path):
    KeyRing(tmp_path / "k").newest()
    (file,) = (tmp_path / "k").glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o700
    file.chmod(0o644)
    with pytest.raises(KeyFolderError, match="chmod 600"):
        KeyRing(tmp_path / "k").newest()


def test_the_new_key_signs_also_within_the_millisecond_that_made_the_old_one(tmp_path):
    ring = KeyRing(tmp_path, wall=lambda: 1000.0)
    old_id, _ = ring.newest()
    assert ring.rotate() == ring.newest()[0] != old_id


def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies_everywhere(tmp_path):
    now = [0.0]
    here, there = KeyRing(tmp_path), KeyRing(tmp_path, monotonic=lambda: now[0])
    old_id, signature = there.sign(b"text")
    new_id = here.rotate()
    assert here.newest()[0] == new_id != old_id
    assert there.newest()[0] == old_id
    now[0] += 2.0
    assert there.newest()[0] == new_id
    assert list(there.public_keys()) == [old_id, new_id]
    there.public_keys()[old_id].verify(signature, b"text")
    assert all(len(key) == 32 for key in there.public_bytes().values())


def test_secrets_are_32_bytes_and_survive_a_restart(tmp_path):
    first = SecretRing(tmp_path).newest()
    assert len(first[1]) == 32
    assert SecretRing(tmp_path).newest() == first


def test_a_broken_key_file_is_named(tmp_path):
    SecretRing(tmp_path).newest()
    (file,) = tmp_path.glob("*.key")
    file.write_text("rubbish")
    with pytest.raises(KeyFolderError, match=file.name):
        SecretRing(tmp_path).newest()


def test_a_new_key_signs_once_it_has_settled_and_verifies_before(tmp_path):
    moment = [1_000_000.0]
    ring = KeyRing(tmp_path / "k", settle_seconds=60, wall=lambda: moment[0])
    first = ring.newest()[0]
    moment[0] += 10
    second = ring.rotate()
    assert (ring.newest()[0], set(ring.keys())) == (first, {first, second})
    moment[0] += 59.9
    assert ring.newest()[0] == first
    moment[0] += 0.1
    assert ring.newest()[0] == second


def test_keys_that_sign_no_more_are_forgotten_in_time(tmp_path):
    moment = [1_000_000.0]
    ring = KeyRing(tmp_path / "k", settle_seconds=60, wall=lambda: moment[0])
    first = ring.newest()[0]
    moment[0] += 100
    second = ring.rotate()
    superseded = datetime.fromtimestamp(moment[0] + 60, UTC)
    assert ring.forget(superseded_before=superseded) == ()
    assert ring.forget(superseded_before=superseded + timedelta(seconds=1)) == (first,)
    assert set(ring.keys()) == {second}
    assert ring.forget(superseded_before=superseded + timedelta(days=99)) == ()
    assert ring.newest()[0] == second
