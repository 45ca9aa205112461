"""The documentation; `tables` keeps those of its parts that the code knows better."""
