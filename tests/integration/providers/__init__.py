"""The framework's clients against services that refuse what the real ones refuse."""
