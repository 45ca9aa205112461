"""A stand-in for the external payment module: its own process, imported by nobody."""
