"""The floor of a read: Flask with one view that returns bytes it was given. Served as the service is."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response

app = Flask(__name__)
_folder = Path(os.environ["BARE_FOLDER"])
_answers = {path.name: path.read_bytes() for path in _folder.iterdir()}


@app.get("/<name>")
def answer(name: str) -> Response:
    return Response(_answers[name], mimetype="application/json")
