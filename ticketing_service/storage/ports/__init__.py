"""What the actions ask of a store: a Protocol an aggregate, each in a file of its own."""
