"""Circuit breakers that the processes of a service share, bulkheads, a retry budget, deadlines."""
