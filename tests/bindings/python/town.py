"""A made-up town: a real server process on a free port of this machine, grids, people, and their phones."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import gridwalk as core

# How often a phone synchronises before a test fails: each attempt is a whole one.
TRIES = 12

STREET, COMMUNITY, GRIDS = "990100001", "990100001001", 40


def program() -> str:
    path = os.environ.get("GRIDWALK_SERVER")
    if not path:
        raise RuntimeError("GRIDWALK_SERVER is not set; run `cargo xtask test bindings`")
    return path


def grid_code(number: int) -> str:
    return f"{COMMUNITY}{number + 1:03}"


def square(west: float, east: float) -> dict:
    south, north = 36.10, 36.11
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def areas() -> dict:
    """A street, its one community, and the grids of that, side by side."""

    def feature(level: str, code: str, name: str, parent: str, west: int, east: int) -> dict:
        properties = {"level": level, "code": code, "name": name, "parent": parent}
        shape = square(120.4 + west / 1000, 120.4 + east / 1000)
        return {"type": "Feature", "properties": properties, "geometry": shape}

    features = [
        feature("street", STREET, "虚构街道", "990100", 0, GRIDS),
        feature("community", COMMUNITY, "虚构社区", STREET, 0, GRIDS),
    ]
    for number in range(GRIDS):
        name = f"虚构第{number + 1}网格"
        features.append(feature("grid", grid_code(number), name, COMMUNITY, number, number + 1))
    return {"type": "FeatureCollection", "features": features}


class Town:
    """One server for all tests; each test takes grids of its own."""

    _only = None

    @classmethod
    def shared(cls) -> "Town":
        if cls._only is None:
            cls._only = cls()
        return cls._only

    @classmethod
    def close(cls) -> None:
        if cls._only is not None:
            cls._only._stop()
            cls._only = None

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gridwalk-bindings-")
        self.data = Path(self._folder.name) / "server"
        self.data.mkdir()
        words = ["serve", "--listen", "127.0.0.1:0", "--name", "虚构区", "--data", str(self.data)]
        log = open(self.data / "server.log", "w", encoding="utf-8")
        with log:
            self._server = subprocess.Popen(
                [program(), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        said = self._server.stdout.readline()
        if not said.startswith("listening on "):
            raise RuntimeError(f"the server did not start: {said}")
        self.url = said.removeprefix("listening on ").strip()
        self._free_grids = iter(range(GRIDS))
        file = Path(self._folder.name) / "areas.geojson"
        file.write_text(json.dumps(areas(), ensure_ascii=False), encoding="utf-8")
        self.command("import", "areas", "--datum", "wgs84", "--data", str(self.data), str(file))

    def _stop(self) -> None:
        self._server.send_signal(signal.SIGTERM)
        self._server.stdout.close()
        self._server.wait()
        self._folder.cleanup()

    def command(self, *words: str) -> str:
        """Runs one of the server's own commands and returns what it printed."""
        done = subprocess.run([program(), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def staff(self, command: str, *words: str) -> str:
        return self.command("staff", command, "--data", str(self.data), *words)

    def new_grid(self) -> str:
        """The code of a grid that no other test uses."""
        return grid_code(next(self._free_grids))

    def gridworker(self, name: str, grid: str) -> str:
        return self.staff("add", name, "--role", "gridworker", "--area", grid)

    def code(self, person: str) -> str:
        return self.staff("code", person)


def folder_of(test) -> str:
    """A folder that goes with the test."""
    folder = tempfile.TemporaryDirectory(prefix="gridwalk-phone-")
    test.addCleanup(folder.cleanup)
    return str(Path(folder.name) / "store")


async def opened(test, folder: str, platform=None) -> core.Device:
    device = await core.Device.open(core.OpenOptions(folder=folder), platform or core.Platform())
    test.addAsyncCleanup(device.close)
    return device


async def practice(test) -> core.Device:
    device = await core.Device.open_practice(core.OpenOptions(folder=folder_of(test)), core.Platform())
    test.addAsyncCleanup(device.close)
    return device


class Phone:
    """A gridworker's phone, registered."""

    def __init__(self, device: core.Device, folder: str, person: str) -> None:
        self.device, self.folder, self.person = device, folder, person

    @classmethod
    async def enrolled(cls, test, name: str, grid: str, url: str = "") -> "Phone":
        town = Town.shared()
        person, folder = town.gridworker(name, grid), folder_of(test)
        device = await opened(test, folder)
        identity = await device.enrol(url or town.url, town.code(person), f"{name}的手机")
        test.assertEqual(identity.user, person)
        return cls(device, folder, person)

    async def settle(self) -> core.SyncOutcome:
        """Synchronises until everything is sent and received."""
        for _ in range(TRIES):
            outcome = await self.device.sync(core.SyncReason.USER)
            if outcome.result == core.SyncResult.SETTLED:
                return outcome
        raise AssertionError(f"not settled: {outcome}")

    async def online(self, there: bool) -> None:
        await self.device.set_network(there, there)

    async def area(self, code: str) -> str:
        """The record of a grid by its code."""
        page = await self.device.list_areas(None, 1000)
        return next(entry.id for entry in page.entries if entry.record.code == code)


async def settle_all(*phones: Phone) -> None:
    """Twice round: what the last one sends, the first one has to fetch."""
    for _ in range(2):
        for phone in phones:
            await phone.settle()


def text(value: str) -> core.FieldValue:
    return core.FieldValue.TEXT(value=value)


def link(record: str) -> core.FieldValue:
    return core.FieldValue.LINK(record=record)


def dwelling(area: str, room: str, **more: str) -> dict:
    """The fields of a made-up dwelling."""
    plain = {"estate": "虚构小区", "building": "1号楼", "room": room, **more}
    return {"area": link(area), **{key: text(value) for key, value in plain.items()}}


async def value_of(device: core.Device, record: str, field: str):
    entry = await device.record(record)
    found = entry.fields.get(field) if entry else None
    return found.value if found is not None and found.is_TEXT() else found
