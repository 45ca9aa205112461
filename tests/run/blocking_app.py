"""An app whose requests all wait until a file is there, and then tell which process had them. It has time for
those who have just connected.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from flask import Flask

from common.web import prompt_worker

prompt_worker.SILENT_SECONDS = 20.0

app = Flask(__name__)


@app.get("/up")
def process() -> str:
    return str(os.getpid())


@app.get("/")
def which_process() -> str:
    while not Path(os.environ["RELEASE_FILE"]).exists():
        time.sleep(0.01)
    return str(os.getpid())
