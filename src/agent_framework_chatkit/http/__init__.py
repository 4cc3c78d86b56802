"""The ASGI app: the ChatKit endpoint, uploads, downloads and the web UI."""
