"""Attacks on the admin service."""
