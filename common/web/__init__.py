"""HTTP: how a route is declared, checked, answered and documented."""
