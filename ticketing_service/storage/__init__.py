"""Where everything is kept: the ports (`port.py`) and one adapter a kind of store."""
