"""Serve the gallery of widgets: `python -m samples.widgets`."""

from samples.serving import serve

from .server import gallery_app

if __name__ == "__main__":
    serve(gallery_app())
