"""How calls behave: paused, cancelled, many at once, with listeners and with a platform that fails."""

import asyncio
import gc
import hashlib
import time
import weakref
from pathlib import Path

import gridwalk as core
from cases import Case
from town import Phone, dwelling, folder_of, practice, settle_all, text, value_of
from wires import Wire

AREA = "00000000-0000-7000-8000-000000000001"


def fingerprints(folder: str) -> dict:
    """What every file of a store says."""
    files = (file for file in Path(folder).iterdir() if file.is_file())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


async def begun(call) -> asyncio.Task:
    """A call that is under way when this returns."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0)
    return task


class Heard(core.Listener):
    """Keeps what it is told; `throws` makes it fail after that."""

    def __init__(self, throws: bool = False) -> None:
        self.loop, self.told, self.throws = asyncio.get_running_loop(), asyncio.Queue(), throws

    def changed(self, snapshot) -> None:
        self.loop.call_soon_threadsafe(self.told.put_nowait, snapshot)
        if self.throws:
            raise ValueError("made up")

    def failed(self, error) -> None:
        self.loop.call_soon_threadsafe(self.told.put_nowait, error)


class Calls(Case):
    async def test_a_pause_during_a_sync_stops_it_and_the_next_one_goes_on(self) -> None:
        grid = self.town.new_grid()
        async with Wire(self.town.url) as wire:
            phone = await Phone.enrolled(self, "停工", grid, wire.url)
            other = await Phone.enrolled(self, "同事", grid)
            await settle_all(phone, other)
            area = await phone.area(grid)
            # Held first: an edit is sent by itself, and its answer would be held where nobody waits for it.
            wire.hold()
            home = await phone.device.create_record("dwelling", dwelling(area, "101"))
            sync = await begun(phone.device.sync(core.SyncReason.USER))
            await wire.reached.wait()
            await phone.device.pause()
            with self.assertRaises(core.GridwalkError.Paused) as paused:
                await sync
            self.assertKey(paused.exception, "paused")
            before = fingerprints(phone.folder)
            for call in (phone.device.status(), phone.device.record(home), phone.device.sync(core.SyncReason.USER)):
                with self.assertRaises(core.GridwalkError.Paused):
                    await call
            await phone.device.pause()
            wire.release()
            self.assertEqual(fingerprints(phone.folder), before, "a paused store was touched")
            await phone.device.resume()
            await settle_all(phone, other)
            self.assertEqual(await value_of(other.device, home, "room"), "101")

    async def test_a_cancelled_sync_drops_the_waiting_only(self) -> None:
        grid = self.town.new_grid()
        async with Wire(self.town.url) as wire:
            phone = await Phone.enrolled(self, "取消", grid, wire.url)
            other = await Phone.enrolled(self, "同事", grid)
            await settle_all(phone, other)
            area = await phone.area(grid)
            # Held first: an edit is sent by itself, and its answer would be held where nobody waits for it.
            wire.hold()
            home = await phone.device.create_record("dwelling", dwelling(area, "101"))
            sync = await begun(phone.device.sync(core.SyncReason.USER))
            await wire.reached.wait()
            sync.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await sync
            wire.release()
            await settle_all(phone, other)
            self.assertEqual(await value_of(other.device, home, "room"), "101")

    async def test_a_cancelled_write_is_whole_or_never_was(self) -> None:
        device = await practice(self)
        writes = [
            asyncio.create_task(device.create_record("dwelling", dwelling(AREA, f"{number}", remarks="整")))
            for number in range(50)
        ]
        await asyncio.sleep(0)
        for write in writes[::2]:
            write.cancel()
        done = await asyncio.gather(*writes, return_exceptions=True)
        kept = [outcome for outcome in done if isinstance(outcome, str)]
        self.assertGreaterEqual(len(kept), 25)
        # What was written goes through one thread in its order: behind this one nothing is left over.
        await device.create_record("dwelling", dwelling(AREA, "最后", remarks="整"))
        await device.pause()
        await device.resume()
        entries = (await device.list_dwellings(None, 1000)).entries
        self.assertTrue(all(entry.record.room and entry.record.remarks == "整" for entry in entries))
        self.assertLessEqual(set(kept), {entry.id for entry in entries})

    async def test_fifty_calls_at_once(self) -> None:
        device = await practice(self)
        made = await asyncio.gather(
            *(device.create_record("dwelling", dwelling(AREA, f"{number:02}")) for number in range(50))
        )
        self.assertEqual(len(set(made)), 50)
        read = await asyncio.gather(*(device.get_dwelling(home) for home in made))
        self.assertEqual([entry.record.room for entry in read], [f"{number:02}" for number in range(50)])

    async def test_chinese_and_emoji_come_back_as_they_were(self) -> None:
        device = await practice(self)
        name = "欧阳娜娜👩‍👩‍👧‍👦𠮷🏠"
        person = await device.create_record("resident", {"name": text(name), "remarks": text("喜欢🌶️，住三楼")})
        self.assertEqual((await device.get_resident(person)).record.name, name)
        self.assertEqual(await value_of(device, person, "remarks"), "喜欢🌶️，住三楼")
        for asked in ("欧阳", "ouyang"):
            found = (await device.search(asked, ["resident"], None, 10)).found
            self.assertEqual([hit.entry.id for hit in found], [person], asked)

    async def test_ten_thousand_records_in_pages(self) -> None:
        folder = folder_of(self)
        device = await core.Device.open_practice(core.OpenOptions(folder=folder), core.Platform())
        for thousand in range(10):
            rooms = (f"{thousand * 1000 + number:05}" for number in range(1000))
            records = [core.NewRecord(kind="dwelling", fields=dwelling(AREA, room)) for room in rooms]
            await device.create_records(records)
        await device.close()
        began = time.perf_counter()
        device = await core.Device.open_practice(core.OpenOptions(folder=folder), core.Platform())
        opening = time.perf_counter() - began
        self.addAsyncCleanup(device.close)
        rooms, after = [], None
        while True:
            page = await device.list_dwellings(after, 500)
            rooms += [entry.record.room for entry in page.entries]
            after = page.next
            if after is None:
                break
        self.assertEqual(rooms, [f"{number:05}" for number in range(10_000)])
        began = time.perf_counter()
        for _ in range(20):
            await device.list_dwellings(None, 50)
        page = (time.perf_counter() - began) / 20
        print(f"cold open {opening * 1000:.0f} ms, a page of 50 rows {page * 1000:.2f} ms ... ", end="", flush=True)

    async def test_a_listener_is_told_the_present_state_then_changes_and_is_released(self) -> None:
        device = await practice(self)
        listener = Heard()
        seen = weakref.ref(listener)
        observation = await device.observe(core.Query.RECORDS(kind="dwelling", limit=10), listener)
        self.assertEqual((await listener.told.get()).page.entries, [])
        home = await device.create_record("dwelling", dwelling(AREA, "1"))
        self.assertEqual([entry.id for entry in (await listener.told.get()).page.entries], [home])
        self.assertEqual(device.open_observations(), 1)
        await observation.cancel_and_wait()
        self.assertTrue(observation.is_cancelled())
        self.assertEqual(device.open_observations(), 0)
        await device.create_record("dwelling", dwelling(AREA, "2"))
        self.assertTrue(listener.told.empty())
        del listener
        gc.collect()
        self.assertIsNone(seen(), "the listener is still held")

    async def test_a_listener_that_throws_is_told_of_the_next_change_all_the_same(self) -> None:
        device = await practice(self)
        listener = Heard(throws=True)
        observation = await device.observe(core.Query.RECORDS(kind="dwelling", limit=10), listener)
        await listener.told.get()
        await device.create_record("dwelling", dwelling(AREA, "1"))
        self.assertEqual(len((await listener.told.get()).page.entries), 1)
        observation.cancel()

    async def test_closing_ends_observations_and_says_so(self) -> None:
        device = await practice(self)
        listener = Heard()
        observation = await device.observe(core.Query.STATUS(), listener)
        await listener.told.get()
        await device.close()
        told = await listener.told.get()
        while not isinstance(told, core.GridwalkError):
            told = await listener.told.get()
        self.assertIsInstance(told, core.GridwalkError.Closed)
        await observation.cancel_and_wait()


class Keys(core.KeyStore):
    """A key store that works until its finger is hurt."""

    hurt = False

    async def wrap(self, key):
        return key[::-1]

    async def unwrap(self, wrapped):
        if self.hurt:
            raise ValueError("no finger")
        return wrapped[::-1]

    async def delete(self):
        raise ValueError("nobody asked for a wipe")


class BrokenClock(core.Clock):
    def now(self):
        raise RuntimeError("made up")


class Platforms(Case):
    async def test_a_key_store_that_throws_fails_the_call_and_nothing_else(self) -> None:
        keys, folder = Keys(), folder_of(self)
        options = core.OpenOptions(folder=folder)
        device = await core.Device.open(options, core.Platform(key_store=keys))
        await device.close()
        keys.hurt = True
        with self.assertRaises(core.GridwalkError.Platform) as failed:
            await core.Device.open(options, core.Platform(key_store=keys))
        self.assertKey(failed.exception, "platform.key_store")
        self.assertIn("no finger", failed.exception.reason)
        keys.hurt = False
        device = await core.Device.open(options, core.Platform(key_store=keys))
        keys.hurt = True
        await device.lock()
        with self.assertRaises(core.GridwalkError.Platform):
            await device.unlock(keys)
        self.assertTrue(await device.is_locked())
        keys.hurt = False
        await device.unlock(keys)
        self.assertEqual(await device.conflicts(), [])
        await device.close()

    async def test_a_clock_that_throws_is_replaced_by_the_systems(self) -> None:
        options = core.OpenOptions(folder=folder_of(self))
        device = await core.Device.open_practice(options, core.Platform(clock=BrokenClock()))
        self.addAsyncCleanup(device.close)
        self.assertLess(abs(device.now() - time.time() * 1000), 60_000)
