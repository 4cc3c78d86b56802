"""Widgets: templates, tools whose results are widgets, and what people do in them."""
