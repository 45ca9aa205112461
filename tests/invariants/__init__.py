"""What must never happen, whatever many clients do at once and whatever is killed meanwhile."""
