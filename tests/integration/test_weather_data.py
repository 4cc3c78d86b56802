"""The weather sample's data: from the service, or invented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from samples.weather.forecast import (
    PLACES,
    Forecasts,
    UnknownPlaceError,
    condition_of,
    known_place,
    made_up,
)


def test_invented_weather_fits_place_and_season() -> None:
    oslo, sydney = known_place("oslo"), known_place("Sydney, Australia")
    winter = datetime(2026, 1, 15, 12, tzinfo=ZoneInfo("UTC"))
    summer = datetime(2026, 7, 15, 12, tzinfo=ZoneInfo("UTC"))
    assert made_up(oslo, winter) == made_up(oslo, winter)
    assert made_up(oslo, winter).temperature < made_up(oslo, summer).temperature
    assert made_up(sydney, winter).temperature > made_up(sydney, summer).temperature
    for place in PLACES:
        weather = made_up(place)
        assert len(weather.hours) == 24
        assert all(day.low < day.high for day in weather.days)


def test_unknown_place_is_named() -> None:
    with pytest.raises(UnknownPlaceError, match="for 'Atlantis' without a network"):
        known_place("Atlantis")


def test_wmo_codes() -> None:
    codes = [0, 2, 3, 45, 61, 73, 81, 86, 95]
    assert [condition_of(code) for code in codes] == [
        "clear", "partly cloudy", "cloudy", "fog", "rain", "snow", "rain", "snow", "thunderstorm",
    ]  # fmt: skip


class OpenMeteo(BaseHTTPRequestHandler):
    """Responds like Open-Meteo, which the tests cannot reach."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        answer: dict[str, Any]
        if url.path == "/search":
            place = {
                "name": "Bergen",
                "country": "Norway",
                "latitude": 60.4,
                "longitude": 5.3,
                "timezone": "Europe/Oslo",
            }
            answer = {"results": [place]} if query["name"] == ["Bergen"] else {}
        else:
            hours = [f"2026-06-0{day}T{hour:02}:00" for day in (1, 2) for hour in range(24)]
            answer = {
                "current": {
                    "time": "2026-06-01T13:15",
                    "temperature_2m": 14.5,
                    "relative_humidity_2m": 80,
                    "weather_code": 61,
                    "wind_speed_10m": 20.2,
                },
                "hourly": {"time": hours, "temperature_2m": list(range(48))},
                "daily": {
                    "time": ["2026-06-01", "2026-06-02"],
                    "weather_code": [61, 2],
                    "temperature_2m_min": [9, 10],
                    "temperature_2m_max": [15, 17],
                    "precipitation_probability_max": [90, None],
                },
            }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def open_meteo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OpenMeteo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_weather_from_service(open_meteo: str) -> None:
    forecasts = Forecasts(f"{open_meteo}/forecast", f"{open_meteo}/search")
    weather = await forecasts.weather(await forecasts.place("Bergen"))
    assert (weather.place.name, weather.condition, weather.temperature) == ("Bergen", "rain", 14.5)
    assert [hour.hour for hour in weather.hours[:2]] == [13, 14]
    assert [hour.temperature for hour in weather.hours[:2]] == [13, 14]
    assert weather.days[1].chance_of_rain == 0
    assert forecasts.source == weather.source == "Open-Meteo"
    with pytest.raises(UnknownPlaceError, match="no place named 'Nowhere'"):
        await forecasts.place("Nowhere")


async def test_invented_weather_without_service_says_so() -> None:
    forecasts = Forecasts("http://127.0.0.1:9/forecast", "http://127.0.0.1:9/search")
    weather = await forecasts.weather(await forecasts.place("Oslo"))
    assert weather.source_url is None
    assert forecasts.source.startswith("made up")
