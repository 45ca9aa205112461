"""The shapes of OCTO, the standard of resellers, made of what the domain has."""
