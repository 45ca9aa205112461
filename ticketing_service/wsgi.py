"""`app` for gunicorn, with `preload_app`: made once in the master, before its workers fork."""

from __future__ import annotations

import sys

from flask import Flask

from common.database import StoreUnavailable
from common.monitoring import logs
from common.settings import load_or_exit
from ticketing_service.app import create_app
from ticketing_service.storage.opening import migrate, prepare


def make_app() -> Flask:
    """The app on a migrated database; nothing stays open. SystemExit when it cannot be migrated."""
    settings = load_or_exit("ticketing")
    logs.install("ticketing", settings.log_level)
    try:
        migrate(settings.database_url)
        prepare(settings.database_url)
    except StoreUnavailable as error:
        sys.stderr.write(f"The database cannot be migrated: {error}\n")
        raise SystemExit(1) from error
    return create_app(settings)


app = make_app()
