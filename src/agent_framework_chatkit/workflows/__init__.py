"""Workflows as the agents of threads."""
