"""The gateway, a real nginx before real upstreams on loopback ports."""
