"""What the processes of a service share: slots, epochs, documents, single flight."""
