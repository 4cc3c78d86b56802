"""Fake models, agents and services, for unit, integration and browser tests."""
