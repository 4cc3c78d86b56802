import pytest

# These modules contain assertions, but are not named like tests.
for name in (
    "stored",
    "model",
    "contract",
    "items_contract",
    "owners_contract",
    "deletion_contract",
    "memory_contract",
    "turns_contract",
    "search_contract",
    "tables_contract",
    "shared_contract",
):
    pytest.register_assert_rewrite(f"{__name__}.{name}")
