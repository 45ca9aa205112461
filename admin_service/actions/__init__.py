"""One plain function per use case."""
