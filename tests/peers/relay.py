"""Stands between clients and a server and writes down what each of them says: relay.py PORT SERVERPORT FOLDER

A file for each connection, 1.txt, 2.txt...: lines in the order in which the relay saw it,

  > N TEXT     the client sent N bytes; TEXT, where it is a short one, in the form of JSON
  < TEXT       the server sent this, each character a byte, in the form of JSON
  <64 BYTES    the server sent this, in base64: whichever is shorter
  <end         the server closed the connection before the client did
"""

import asyncio
import base64
import itertools
import json
import signal
import sys
from pathlib import Path

# A client's requests are worth reading, its audio is not.
LONGEST_TEXT = 2_000


class Record:
    """One connection's file."""

    def __init__(self, folder: Path, numbers):
        self.folder, self.numbers = folder, numbers
        self.file = None
        self.waiting = b""

    def write(self, line: str):
        # Connections on which nothing is said have no file.
        if not self.file:
            self.file = (self.folder / f"{next(self.numbers)}.txt").open("w", encoding="ascii")
        self.file.write(f"{line}\n")
        self.file.flush()

    def client(self, data: bytes):
        self.waiting += data

    def server(self, data: bytes):
        self.flush()
        as_text, as_base64 = json.dumps(data.decode("latin-1")), base64.b64encode(data).decode()
        self.write(f"< {as_text}" if len(as_text) <= len(as_base64) else f"<64 {as_base64}")

    def end(self):
        self.flush()
        self.write("<end")

    def flush(self):
        """What the client said until somebody else speaks is one line."""
        if self.waiting:
            self.write(f"> {len(self.waiting)}{readable(self.waiting)}")
        self.waiting = b""


def readable(data: bytes) -> str:
    is_text = len(data) <= LONGEST_TEXT and all(byte in b"\r\n\t" or 32 <= byte < 127 for byte in data)
    return " " + json.dumps(data.decode("ascii")) if is_text else ""


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note):
    try:
        while data := await reader.read(65_536):
            note(data)
            writer.write(data)
            await writer.drain()
    except OSError:
        pass


async def main(port: int, server_port: int, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    numbers, records = itertools.count(1), []

    async def relay(reader, writer):
        record = Record(folder, numbers)
        records.append(record)
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", server_port)
        up = asyncio.create_task(pump(reader, server_writer, record.client))
        down = asyncio.create_task(pump(server_reader, writer, record.server))
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if down.done() and not up.done():
            record.end()
        for side in (up, down):
            side.cancel()
        server_writer.close()
        writer.close()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(relay, "127.0.0.1", port)
    await stop.wait()
    server.close()
    for record in records:
        record.flush()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
