"""What is written in the same form on every store."""
