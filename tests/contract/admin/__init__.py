"""What every store does, on every database."""
