"""What the service does in a second, against what its store and its framework could do at best."""
