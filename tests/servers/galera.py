"""A MariaDB Galera cluster of our own: nodes on free ports of the loopback address, fresh data."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pymysql.err import MySQLError

from tests.servers.mariadb import MariaDB, prepared_once
from tests.servers.process import Process, ProcessFailed, eventually, free_port

LIBRARY = "/usr/lib/galera/libgalera_smm.so"
NODES = 3
SUSPECT_SECONDS = 3
"""After which a node that says nothing is left out; Galera's own default is 5."""
OPEN_FILES = {"UMASK": "0666", "UMASK_DIR": "0777"}
"""Where root runs the tests, rsync's daemon, by which a node gets what it lacks, works as nobody."""
JOIN_TRIES = 5


class GaleraNode(MariaDB):
    """One node; `isolate` cuts it off from the others while clients still reach it."""

    def __init__(self, name: str, data: Path | None = None) -> None:
        super().__init__(buffer_pool="32M", data=data)
        self.folder.chmod(0o755)
        self.name = name
        self.group_port, self._transfer_port, self._snapshot_port = free_port(), free_port(), free_port()
        self.peers: list[GaleraNode] = []
        self._alone = list(self.process.argv)

    def found(self) -> Self:
        """Start as the first of a cluster."""
        return self._started("gcomm://", "--wsrep-new-cluster")

    def join(self) -> Self:
        """Start (again) as one of the cluster of `peers`, and wait until it has all that they have."""
        self.process.close()
        addresses = ",".join(f"127.0.0.1:{node.group_port}" for node in self.peers)
        tries = 1
        while True:
            try:
                return self._started(f"gcomm://{addresses}", f"--wsrep-start-position={self._position()}")
            except ProcessFailed:
                # On a busy machine the group gives a newcomer up, which ends; its keeper starts it again.
                if tries == JOIN_TRIES or self.process.running:
                    raise
            tries += 1

    def isolate(self, cut_off: bool) -> None:
        """Let nothing through that goes to or comes from the other nodes, or let it again."""
        with self.connect() as connection, connection.cursor() as cursor:
            option = f"gmcast.isolate={int(cut_off)}"
            cursor.execute("SET GLOBAL wsrep_provider_options = %s", (option,))

    def status(self, name: str) -> str:
        """A status variable, such as `wsrep_cluster_size`; empty where there is none."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE %s", (name,))
            found = cursor.fetchone()
        return str(found[1]) if found else ""

    def _started(self, cluster: str, *options: str) -> Self:
        self.process.close()
        argv = [*self._alone, *self._cluster_options(cluster), *options]
        self.process = Process(argv, env=OPEN_FILES, name=f"galera-{self.name}")
        return self.start()

    def _position(self) -> str:
        """How far its data are, so that it is sent no more than it lacks."""
        log = self.folder / "recovery.log"
        argv = [*self._alone, *self._cluster_options("gcomm://"), "--wsrep-recover", f"--log-error={log}"]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        found = re.findall(r"Recovered position: (\S+)", log.read_text())
        assert found, log.read_text()
        return str(found[-1])

    def _answers(self) -> bool:
        return super()._answers() and self.status("wsrep_ready") == "ON"

    def _cluster_options(self, cluster: str) -> list[str]:
        options = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.group_port}",
            "ist.recv_addr": f"127.0.0.1:{self._transfer_port}",
            "gcache.size": "16M",
            "evs.suspect_timeout": f"PT{SUSPECT_SECONDS}S",
            "evs.inactive_timeout": f"PT{SUSPECT_SECONDS + 1}S",
            "evs.keepalive_period": "PT0.5S",
            "pc.recovery": "false",
        }
        return [
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={LIBRARY}",
            "--wsrep-cluster-name=test",
            f"--wsrep-cluster-address={cluster}",
            f"--wsrep-node-name={self.name}",
            f"--wsrep-node-address=127.0.0.1:{self.group_port}",
            "--wsrep-provider-options=" + ";".join(f"{name}={value}" for name, value in options.items()),
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address=127.0.0.1:{self._snapshot_port}",
        ]


class Galera:
    """`with Galera() as cluster: url = cluster.new_database()`; its `nodes` are killed and frozen in turn."""

    def __init__(self) -> None:
        data = prepared_once("galera", _founded)
        self.nodes = [GaleraNode(str(number), data) for number in range(NODES)]
        for node in self.nodes:
            node.peers = self.nodes
        self._stack = ExitStack()

    def new_database(self, prefix: str = "test") -> str:
        """Create an empty database and return a URL that names all nodes."""
        url = self.nodes[0].new_database(prefix)
        everywhere = ",".join(node.address for node in self.nodes)
        return url.replace(self.nodes[0].address, everywhere)

    def wait_until_whole(self, seconds: float) -> None:
        """Wait until all nodes are there and have what the others have. One that gave up is started again, as
        its keeper would: so does who was away for so long that the others cannot send what it missed.
        """

        def is_whole_again() -> bool:
            for node in self.nodes:
                if not node.process.running:
                    node.join()
            return self._is_whole()

        try:
            eventually(is_whole_again, seconds=seconds, every=0.2, what="the whole cluster")
        except AssertionError as error:
            for node in self.nodes:
                error.add_note(f"node {node.name}:\n{node.process.tail(40)}")
            raise

    def _is_whole(self) -> bool:
        try:
            return all(
                node.status("wsrep_cluster_size") == str(NODES)
                and node.status("wsrep_local_state_comment") == "Synced"
                for node in self.nodes
            )
        except MySQLError:
            return False

    def __enter__(self) -> Self:
        for node in self.nodes:
            self._stack.callback(node.close)
        try:
            self.nodes[0].found()
            for node in self.nodes[1:]:
                node.join()
            self.wait_until_whole(60)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is left of a cluster waits for the others when it is asked to stop.
        for node in self.nodes:
            node.kill()
        self._stack.close()


def _founded(making: Path) -> None:
    """Data that belong to a cluster: nodes that begin with them need no copy of all from the first."""
    node = GaleraNode("0")
    try:
        node.found()
        node.stop()
        shutil.copytree(node.folder / "data", making)
    finally:
        node.close()
    for path in (making, *making.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
