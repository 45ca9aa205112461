"""How the service is watched: health, log lines."""
