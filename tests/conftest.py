"""Settings of all tests."""

from hypothesis import settings

# No example is too slow: machines that are busy are.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
