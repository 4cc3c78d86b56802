"""Widget templates, tools that show widgets, and widget actions."""
