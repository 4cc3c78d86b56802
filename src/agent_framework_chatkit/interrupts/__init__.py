"""Pauses a run for a person's answer, and resumes it."""
