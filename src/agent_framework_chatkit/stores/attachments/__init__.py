"""The attachment store, which keeps files in a folder or a bucket."""
