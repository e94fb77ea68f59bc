"""Asks ringway's voice service as a telephone system's programs do, by requests where it is installed."""

import hashlib
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
import wave
from concurrent.futures import ThreadPoolExecutor

try:
    import requests
except ImportError:
    requests = None


def post(url: str, path: str, *, body: dict | None = None, form: dict | None = None) -> dict:
    if requests:
        return requests.post(url + path, json=body, data=form, timeout=30).json()
    data = json.dumps(body).encode() if form is None else urllib.parse.urlencode(form).encode()
    kind = "application/json" if form is None else "application/x-www-form-urlencoded"
    request = urllib.request.Request(url + path, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def get(url: str, path: str) -> dict:
    with urllib.request.urlopen(url + path, timeout=30) as answer:
        return json.load(answer)


def check(url: str, text: str, voice: str, speed: float) -> None:
    made = post(url, "/tts", body={"text": text, "voice": voice, "speed": speed, "cache": True})
    assert made["success"], made
    key = hashlib.sha256(f"{text}_{voice}_{speed}".encode()).hexdigest()
    assert made["file_path"].endswith(f"/{key}.wav"), (made, key)
    with wave.open(made["file_path"]) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert abs(file.getnframes() / 16000 - made["duration"]) < 1e-6, made
    again = post(url, "/tts/phrase", form={"text": text, "voice": voice, "speed": speed})
    assert again["cached"] and again["file_path"] == made["file_path"], again


def main(url: str) -> None:
    assert get(url, "/health")["status"] == "ok"
    voices = [voice["name"] for voice in get(url, "/voices")["voices"]]
    for text, speed in (("Welcome to the clinic.", 1.0), ("Grüße, 100 % ünïcode?", 0.9), ("Please hold.", 1.25)):
        check(url, text, voices[0], speed)
    with ThreadPoolExecutor(24) as pool:
        answers = pool.map(lambda number: post(url, "/tts", body={"text": f"Number {number % 8}."}), range(24))
        assert all(answer["success"] for answer in answers)
    refused = post(url, "/tts", body={"text": ""})
    assert not refused["success"] and refused["code"] == "empty_text", refused
    assert get(url, "/cache/clear")["files_deleted"] >= 11


main(sys.argv[1])
