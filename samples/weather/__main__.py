"""Serve the weather assistant: `make demo`, or `python -m samples.weather`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from samples.serving import listen, step, url_of

FOLDER = Path(__file__).parents[2] / ".demo"

SCRIPT = """\
A script answers instead of a model. For a real model, press Ctrl-C, set one of
    OPENAI_API_KEY=…     (or OPENAI_BASE_URL=… for any compatible endpoint)
    OLLAMA_MODEL=…       MODEL=local       AZURE_OPENAI_ENDPOINT=…
and start it again. See samples/weather/README.md for details.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the weather assistant.")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    parser.add_argument(
        "--folder",
        type=Path,
        default=FOLDER,
        help="the folder for threads and files; default: %(default)s",
    )
    parser.add_argument("--offline", action="store_true", help="make the weather up")
    arguments = parser.parse_args()
    # SIGTERM acts like Ctrl-C, which shells make their background jobs ignore.
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.default_int_handler)
    try:
        serve(arguments.port, arguments.folder, is_offline=arguments.offline)
    except KeyboardInterrupt:
        print("\nStopped.")


def serve(port: int, folder: Path, *, is_offline: bool) -> None:
    """Serve until the process is interrupted."""
    with step("Loading libraries"):
        # Imported late, so that the message appears before the slow imports.
        import uvicorn

        from samples.models import ChatModel, load_model
        from samples.scripted import ScriptedClient

        from .forecast import Forecasts
        from .script import answer
        from .server import weather_app
    listener = listen(port)
    with step("Starting the model"):
        model = load_model(lambda: ChatModel("A script", ScriptedClient(answer), is_script=True))
    forecasts = Forecasts(url=None) if is_offline else Forecasts()

    folder.mkdir(parents=True, exist_ok=True)

    async def run() -> None:
        app = await weather_app(model, forecasts, folder)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        print(f"\n{SCRIPT if model.is_script else f'{model.name} answers.'}")
        # The port is already open, so an early browser waits for the server.
        print(f"Open {url_of(listener)} in a browser. Ctrl-C stops it.", flush=True)
        # An earlier interrupt takes effect here; uvicorn would log it as a failed start.
        await asyncio.sleep(0)
        await uvicorn.Server(config).serve(sockets=[listener])

    asyncio.run(run())


if __name__ == "__main__":
    main()
