"""Gunicorn's own messages as the same JSON lines as all others."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from common.monitoring import logs


class JsonLogger(Logger):  # type: ignore[misc]
    """For the setting `logger_class`; the service is named by `proc_name`."""

    def setup(self, cfg: Any) -> None:
        """Send what gunicorn says to the handlers of the process."""
        super().setup(cfg)
        logs.install(cfg.proc_name, cfg.loglevel)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
