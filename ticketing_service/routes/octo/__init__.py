"""OCTO, the standard of resellers: its routes, on the actions that all have."""
