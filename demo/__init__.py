"""A small destination to try the product with, and the command that starts it all on one machine."""
