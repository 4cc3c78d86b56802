"""The framework's clients with services that reject the same requests as the real ones."""
