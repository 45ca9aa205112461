"""What carries cached values: flask-caching backends over Redis, or over SQLite on this machine."""
