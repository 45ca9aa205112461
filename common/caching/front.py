"""flask-caching's front over a backend of this package, and where an app keeps its caches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache

from common.caching.cache import Caches

EXTENSION = "common.caching"


def front(app: Flask, backend: BaseCache) -> Cache:
    """flask-caching for `app`, with `@cached`, `@memoize` and the plain verbs, carried by `backend`.

    Values are JSON or bytes. What concerns several callers at once goes through `Caches`.
    """
    config = {"CACHE_TYPE": f"{__name__}.given", "CACHE_OPTIONS": {"backend": backend}}
    return Cache(app, with_jinja2_ext=False, config=config)


def given(app: Flask, config: dict[str, Any], args: list[Any], options: dict[str, Any]) -> BaseCache:
    """What flask-caching calls to make a backend: the one that was made."""
    backend: BaseCache = options["backend"]
    return backend


def install(app: Flask, caches: Callable[[], Caches]) -> None:
    """Have the cached reads of `app` use `caches()`, the process's own, which is asked at every request."""
    app.extensions[EXTENSION] = caches
