"""An error of each public kind, brought about from outside as far as that can be done."""

import inspect
import os
import resource
import socket

import gridwalk as core
from cases import Case
from pictures import png
from test_calls import AREA
from town import dwelling, folder_of, opened, practice
from wires import MALFORMED, TOO_OLD, Refusing

Kinds = core.GridwalkError


class Camera(core.Capture):
    """A camera that the worker leaves without a photo."""

    async def photo(self, role):
        raise core.PlatformError.Cancelled()

    async def voice(self):
        raise ValueError("made up")


class Errors(Case):
    # Which kinds the tests of this class have met; the last of them asks whether any was forgotten.
    met = set()

    async def fails(self, kind, call, key: str = ""):
        with self.assertRaises(kind) as failed:
            await call
        problem = core.problem_of(failed.exception)
        self.assertKey(failed.exception, key or problem.key)
        Errors.met.add(kind.__name__)
        return failed.exception

    async def new_device(self) -> core.Device:
        return await opened(self, folder_of(self))

    async def test_input_names_each_field_at_fault(self) -> None:
        device = await practice(self)
        error = await self.fails(Kinds.InvalidInput, device.create_record("dwelling", {}), "invalid")
        fields = {field.field: field for field in error.fields}
        self.assertEqual(fields["area"].key, "missing")
        self.assertTrue(fields["area"].zh and fields["area"].en)
        error = await self.fails(Kinds.InvalidInput, device.record("no id"), "bad_argument")
        self.assertEqual([field.field for field in error.fields], ["id"])

    async def test_sensitive_records_want_a_purpose(self) -> None:
        device = await practice(self)
        await self.fails(Kinds.InvalidInput, device.records("resident_id", None, 10), "no_purpose")
        listed = device.read_sensitive_list("resident_id", None, 10, "   ")
        await self.fails(Kinds.InvalidInput, listed, "no_purpose")
        page = await device.read_sensitive_list("resident_id", None, 10, "核对证件")
        self.assertEqual(page.entries, [])

    async def test_what_is_not_there_is_not_found(self) -> None:
        await self.fails(Kinds.NotFound, (await practice(self)).draft(99), "no_draft")

    async def test_practice_may_not_synchronise(self) -> None:
        device = await practice(self)
        await self.fails(Kinds.NotAllowed, device.sync(core.SyncReason.USER), "practice")

    async def test_a_phone_that_is_not_registered_has_nobody_to_work_for(self) -> None:
        device = await self.new_device()
        await self.fails(Kinds.NotEnrolled, device.sync(core.SyncReason.USER), "not_enrolled")

    async def test_a_wrong_code_is_not_authorised(self) -> None:
        device = await self.new_device()
        await self.fails(Kinds.Unauthorized, device.enrol(self.town.url, "AAAA-AAAA", "x"), "server.code_invalid")

    async def test_a_server_that_is_not_there_is_offline(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            await self.fails(Kinds.Offline, (await self.new_device()).enrol(url, "x", "x"), "net.offline")

    async def test_a_newer_server_wants_a_newer_app(self) -> None:
        async with Refusing(*TOO_OLD) as url:
            await self.fails(Kinds.UpdateNeeded, (await self.new_device()).enrol(url, "x", "x"), "server.version")

    async def test_a_server_that_calls_us_malformed_found_a_bug(self) -> None:
        async with Refusing(*MALFORMED) as url:
            await self.fails(Kinds.Bug, (await self.new_device()).enrol(url, "x", "x"), "server.malformed")

    async def test_one_store_is_open_once(self) -> None:
        folder = folder_of(self)
        await opened(self, folder)
        again = core.Device.open(core.OpenOptions(folder=folder), core.Platform())
        await self.fails(Kinds.Conflict, again, "already_open")

    async def test_a_locked_app_shows_nothing_and_counts_wrong_pins(self) -> None:
        options = core.OpenOptions(folder=folder_of(self))
        device = await core.Device.open_with_pin(options, core.Platform(), "246810")
        self.addAsyncCleanup(device.close)
        await device.lock()
        await self.fails(Kinds.Locked, device.conflicts(), "locked")
        rules = core.PinRules(free=1, waits_ms=[60_000])
        await self.fails(Kinds.Locked, device.unlock_with_pin(None, "000000", rules), "key_mismatch")
        error = await self.fails(Kinds.Locked, device.unlock_with_pin(None, "246810", rules), "too_many_tries")
        self.assertGreater(error.until, device.now())

    async def test_paused_and_closed_devices_say_so(self) -> None:
        device = await practice(self)
        await device.pause()
        await self.fails(Kinds.Paused, device.status(), "paused")
        await device.resume()
        await device.close()
        await self.fails(Kinds.Closed, device.status(), "closed")
        await self.fails(Kinds.Closed, device.resume(), "closed")
        await device.close()

    async def test_a_camera_that_was_left_is_no_failure_and_one_that_breaks_is(self) -> None:
        device = await practice(self)
        await self.fails(Kinds.Cancelled, device.capture_photo(Camera(), "scene"), "cancelled")
        voice = device.capture_voice(Camera(), AREA)
        error = await self.fails(Kinds.Platform, voice, "platform.capture")
        self.assertIn("made up", error.reason)

    async def test_a_full_phone_takes_records_and_no_photos(self) -> None:
        device = await practice(self)
        await device.set_phone_state(core.PhoneState(free_bytes=0))
        facts = core.CaptureFacts(role="scene", source="camera", at=0, utc_offset_minutes=480, worker_code="W01")
        await self.fails(Kinds.StorageFull, device.journal_photo(png(2), facts), "storage_full")
        await device.create_record("dwelling", dwelling(AREA, "1"))

    async def test_a_file_system_that_takes_no_more_bytes_has_failed(self) -> None:
        device = await practice(self)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
        try:
            written = device.create_record("dwelling", dwelling(AREA, "1"))
            error = await self.fails(Kinds.StorageFailed, written)
            self.assertNotEqual(error.code, 0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await device.create_record("dwelling", dwelling(AREA, "2"))
        rooms = [entry.record.room for entry in (await device.list_dwellings(None, 10)).entries]
        self.assertEqual(rooms, ["2"], "what failed was not written")

    async def test_a_damaged_store_is_told_and_set_aside(self) -> None:
        folder = folder_of(self)
        options = core.OpenOptions(folder=folder)
        device = await core.Device.open_practice(options, core.Platform())
        rooms = (dwelling(AREA, f"{number:04}") for number in range(1000))
        await device.create_records([core.NewRecord(kind="dwelling", fields=fields) for fields in rooms])
        await device.close()
        # Opened anew, it has read little of the file yet.
        device = await core.Device.open_practice(options, core.Platform())
        store = max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize)
        with open(store, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            for page in range(8 * 4096, size, 4096):
                file.seek(page + 100)
                file.write(b"damaged")
        await self.fails(Kinds.Corrupt, self._read_everything(device), "damaged")
        await device.close()
        # The next opening sets it aside.
        device = await core.Device.open_practice(options, core.Platform())
        self.addAsyncCleanup(device.close)
        await self._read_everything(device)

    async def _read_everything(self, device: core.Device) -> None:
        after = None
        while True:
            page = await device.list_dwellings(after, 1000)
            after = page.next
            if after is None:
                return

    async def test_zz_every_kind_was_met(self) -> None:
        kinds = {
            name
            for name, kind in inspect.getmembers(core.GridwalkError, inspect.isclass)
            if issubclass(kind, core.GridwalkError) and kind is not core.GridwalkError
        }
        self.assertEqual(kinds - Errors.met, set())
