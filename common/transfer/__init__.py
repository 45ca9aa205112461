"""Moving what a service has from one store to another: the loops, which know no business word."""
