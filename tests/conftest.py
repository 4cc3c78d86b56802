"""Settings for all tests."""

from hypothesis import settings

# No deadline: busy machines are slow.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
