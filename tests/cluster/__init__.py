"""Clusters: what a service lives through when one server of several is lost."""
