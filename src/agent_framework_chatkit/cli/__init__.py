"""The command `af-chatkit`."""
