"""What the service is about: pure, no I/O."""
