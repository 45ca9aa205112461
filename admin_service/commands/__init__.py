"""Commands of the service, each a module to be run with `python -m`."""
