"""Where everything is kept: the ports (`port.py`, `ports/`) and one adapter a kind of store."""
