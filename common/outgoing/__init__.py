"""Requests to addresses that others have given us."""
