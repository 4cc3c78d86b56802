import pytest

# They hold assertions, and are not named like tests.
pytest.register_assert_rewrite(
    f"{__name__}.contract", f"{__name__}.shared_contract", f"{__name__}.model"
)
