"""Settings for all tests."""

from hypothesis import settings

# No deadline: busy machines are slow. The same examples each time: a rare failure found by chance
# would blame an unrelated change. `--hypothesis-profile=random` looks for such failures.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("default")
