"""What the tests of the services share."""

import pytest

# So that its assertions say what they compared.
pytest.register_assert_rewrite("tests.integration.providers.chat")
