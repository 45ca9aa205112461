"""The admin service: staff curate what visitors see, and govern who may do what."""

VERSION = "0.1.0"
