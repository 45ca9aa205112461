"""Attacks: whatever is sent, by whomever, is answered in order and changes nothing that it should not."""
