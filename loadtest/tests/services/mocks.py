"""Mock services of its own for each test."""

import json
import math
import os
import re
import struct
import subprocess
import tempfile
import urllib.request
import wave
from pathlib import Path

BINARY = os.environ["RINGWAY_LOAD"]
RATE_HZ = 16_000


class Mocks:
    """The binary on a free port; `url` and `ws` lead to it. Ends cleanly on SIGTERM, or the test fails."""

    def __init__(self, *options: str):
        self.process = subprocess.Popen(
            [BINARY, "services", "--port", "0", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        first = self.process.stdout.readline()
        found = re.search(r"http://(\S+?:\d+)", first)
        if not found:
            raise AssertionError(f"no address in {first!r}: {self.process.stderr.read()}")
        self.url, self.ws = f"http://{found[1]}", f"ws://{found[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        _, told = self.process.communicate(timeout=10)
        if self.process.returncode != 0:
            raise AssertionError(f"the mocks ended with {self.process.returncode}: {told}")

    def stats(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/stats", timeout=10) as answer:
            return json.load(answer)

    def service(self, name: str) -> dict:
        return self.stats()["services"][name]


def tone(seconds: float) -> bytes:
    """Loud, as s16le."""
    count = int(seconds * RATE_HZ)
    samples = (int(8_000 * math.sin(math.tau * 200 * n / RATE_HZ)) for n in range(count))
    return b"".join(struct.pack("<h", sample) for sample in samples)


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE_HZ))


def recording(seconds: float) -> Path:
    """A WAV file."""
    path = Path(tempfile.mkdtemp(prefix="ringway-mocks-")) / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(tone(seconds))
    return path
