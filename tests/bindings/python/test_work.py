"""A gridworker's work over a real server: offline, across kills, beside colleagues."""

import hashlib
import os
import subprocess
import sys

import gridwalk as core
from cases import Case
from pictures import png
from town import Phone, dwelling, link, opened, settle_all, text, value_of


def capture_facts(record: str) -> core.CaptureFacts:
    return core.CaptureFacts(
        role="scene", source="camera", at=1_790_000_000_000, utc_offset_minutes=480, worker_code="W01", record=record
    )


class Work(Case):
    async def two_phones(self):
        """Two phones of one grid, and the grid's record."""
        grid = self.town.new_grid()
        first = await Phone.enrolled(self, "甲工", grid)
        second = await Phone.enrolled(self, "乙工", grid)
        await settle_all(first, second)
        return first, second, await first.area(grid)

    async def test_enrolment_is_once_and_the_phone_knows_who_it_is(self) -> None:
        grid = self.town.new_grid()
        phone = await Phone.enrolled(self, "新工", grid)
        identity = await phone.device.identity()
        self.assertEqual(identity.user, phone.person)
        await phone.settle()
        workers = (await phone.device.list_workers(None, 1000)).entries
        self.assertIn("新工", [entry.record.name for entry in workers if entry.id == phone.person])
        with self.assertRaises(core.GridwalkError.Conflict) as refused:
            await phone.device.enrol(self.town.url, self.town.code(phone.person), "又一次")
        self.assertKey(refused.exception, "already_enrolled")

    async def test_work_without_a_network_is_sent_when_it_is_back(self) -> None:
        first, second, area = await self.two_phones()
        await first.online(False)
        home = await first.device.create_record("dwelling", dwelling(area, "501"))
        await first.device.edit_record(home, {"remarks": text("门口有灭火器")})
        outcome = await first.device.sync(core.SyncReason.USER)
        self.assertEqual(outcome.result, core.SyncResult.NOT_REACHED)
        self.assertEqual(outcome.status.totals.changes.count, 2)
        self.assertTrue((await first.device.record(home)).state.waiting)
        await first.online(True)
        await settle_all(first, second)
        self.assertEqual(await value_of(second.device, home, "remarks"), "门口有灭火器")
        self.assertFalse((await first.device.record(home)).state.waiting)

    async def test_what_was_written_before_a_kill_is_there_and_is_sent(self) -> None:
        first, second, area = await self.two_phones()
        await first.device.close()
        child = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shift.py")
        worker = subprocess.Popen(
            [sys.executable, child, first.folder, area], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        said = [worker.stdout.readline().strip() for _ in range(5)]
        worker.kill()
        said += [line.strip() for line in worker.stdout if line.endswith("\n")]
        worker.stdout.close()
        worker.wait()
        first.device = await opened(self, first.folder)
        for home in said:
            self.assertIsNotNone(await first.device.get_dwelling(home), "told as durable, and gone")
        await settle_all(first, second)
        rooms = {entry.id for entry in (await second.device.list_dwellings(None, 1000)).entries}
        self.assertLessEqual(set(said), rooms)

    async def test_two_phones_in_conflict_agree_once_somebody_chooses(self) -> None:
        first, second, area = await self.two_phones()
        home = await first.device.create_record("dwelling", dwelling(area, "101", remarks="原文"))
        await settle_all(first, second)
        for phone, words in ((first, "甲写的"), (second, "乙写的")):
            await phone.online(False)
            await phone.device.edit_record(home, {"remarks": text(words)})
        for phone in (first, second):
            await phone.online(True)
        await settle_all(first, second)
        seen = []
        for phone in (first, second):
            (conflict,) = await phone.device.conflicts()
            self.assertEqual((conflict.record, conflict.kind, conflict.field), (home, "dwelling", "remarks"))
            words = {candidate.author: candidate.value.value for candidate in conflict.candidates}
            self.assertEqual(words, {"甲工": "甲写的", "乙工": "乙写的"})
            (item,) = await phone.device.tray()
            self.assertEqual(item.key, core.TrayKey.CONFLICT(record=home, field="remarks"))
            seen.append([value.value for value in item.values if value.text.zh == "甲写的"])
        key = core.TrayKey.CONFLICT(record=home, field="remarks")
        await second.device.settle(key, core.Settlement.CHOOSE(seen[1][0]))
        await settle_all(second, first)
        for phone in (first, second):
            self.assertEqual(await phone.device.conflicts(), [])
            self.assertEqual(await value_of(phone.device, home, "remarks"), "甲写的")

    async def test_a_refused_report_is_in_the_tray_and_is_accepted_when_sent_again(self) -> None:
        first, second, area = await self.two_phones()
        await first.online(False)
        # The office makes this person a handler; their phone works on as a gridworker's.
        self.town.staff("roles", first.person, "--role", "handler")
        report = core.ReportDraft(area=area, address="虚构路2号", no_photo_reason="虚构：没有相机")
        draft = await first.device.begin_report(report)
        await first.device.choose_category(draft, "litter")
        sent = await first.device.send_report(draft)
        await first.online(True)
        await first.device.sync(core.SyncReason.USER)
        await first.device.sync(core.SyncReason.USER)
        items = [item for item in await first.device.tray() if item.record == sent.event]
        self.assertEqual([item.key for item in items], [core.TrayKey.NEW_REFUSED(record=sent.event)])
        self.assertIn(core.TrayAct.WRITE_AGAIN, items[0].acts)
        refused = await first.device.refused_edits()
        self.assertEqual({(edit.record, edit.reason) for edit in refused}, {(sent.event, "forbidden")})
        # The mistake is put right, and the worker sends the report again.
        self.town.staff("roles", first.person, "--role", "gridworker")
        await settle_all(first)
        await first.device.settle(items[0].key, core.Settlement.SEND_AGAIN({}))
        await settle_all(first, second)
        self.assertEqual(await first.device.refused_edits(), [])
        events = (await second.device.list_events(None, 1000)).entries
        self.assertEqual([entry.record.number for entry in events], [sent.number])

    async def test_a_photo_goes_up_and_its_receipt_comes_back(self) -> None:
        first, second, area = await self.two_phones()
        event = await first.device.create_record(
            "event", {"area": link(area), "category": text("litter"), "address": text("虚构路1号")}
        )
        await first.online(False)
        element = await first.device.add_photo(event, png(1), capture_facts(event), None)
        waiting = (await first.device.status()).totals
        self.assertEqual((waiting.photos.count, waiting.previews.count), (1, 1))
        await first.online(True)
        await settle_all(first, second)
        totals = (await first.device.status()).totals
        self.assertEqual((totals.photos.count, totals.previews.count), (0, 0), "the server's receipt is here")
        (photo,) = await second.device.photos(event)
        self.assertEqual(photo.element, element)
        stored = await second.device.photo(event, photo.photo.hash)
        self.assertEqual(hashlib.sha256(stored).hexdigest(), photo.photo.hash)
        self.assertEqual(len(stored), photo.photo.bytes)
