"""The predecessor's documents as ours: what each of its members becomes, and what cannot be one of ours."""
