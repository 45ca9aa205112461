"""Real servers for tests and benchmarks, on free loopback ports, started and stopped by process id."""
