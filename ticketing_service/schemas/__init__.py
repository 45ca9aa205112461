"""What comes in, as marshmallow schemas that make commands; what goes out, as documents and their schemas."""
