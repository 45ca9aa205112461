"""Sells timed admission to points of interest, and admits those who bought it."""

VERSION = "0.1.0"
