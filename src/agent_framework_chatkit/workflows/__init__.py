"""Runs workflows as the agents of threads."""
