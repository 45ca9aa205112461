"""Numbers about a service, right whichever of its processes is asked."""
