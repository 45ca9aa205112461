"""Mail: the message, the port that takes it, and the ways it goes."""
