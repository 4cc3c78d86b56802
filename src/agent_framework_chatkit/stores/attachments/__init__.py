"""Files that people attach, in a folder or a bucket."""
