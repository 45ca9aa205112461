"""The services' own worker, with an app that tells how often a thread was asked for in its process and how
many connections no thread looks after; and with a moment that no client is late for.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Flask, request

from common.web import draining_worker

draining_worker.MOMENT_MILLISECONDS = 300

app = Flask(__name__)


class CountingWorker(draining_worker.DrainingWorker):
    handed = 0
    only: ClassVar[CountingWorker]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        CountingWorker.only = self

    def hand_over(self, conn: Any) -> None:
        CountingWorker.handed += 1
        super().hand_over(conn)


@app.get("/")
def how_often() -> str:
    return str(CountingWorker.handed)


@app.get("/parked")
def how_many() -> str:
    return str(len(CountingWorker.only.keepalived_conns))


@app.post("/read")
def read() -> bytes:
    request.max_content_length = 1000
    return request.get_data()


@app.post("/unread")
def unread() -> str:
    return "refused, whatever it is"
