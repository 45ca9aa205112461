"""What goes round a store, whatever it keeps."""
