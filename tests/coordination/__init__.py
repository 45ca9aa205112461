"""Coordination: one contract for both adapters, and what each does when its carrier fails."""
