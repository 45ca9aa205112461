"""The world outside: ticketing and the media's storage."""
