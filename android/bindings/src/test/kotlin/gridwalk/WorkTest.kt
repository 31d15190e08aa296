package gridwalk

import gridwalk.ffi.CaptureFacts
import gridwalk.ffi.FieldValue
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.ReportDraft
import gridwalk.ffi.Settlement
import gridwalk.ffi.SyncReason
import gridwalk.ffi.SyncResult
import gridwalk.ffi.TrayAct
import gridwalk.ffi.TrayKey
import java.security.MessageDigest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A gridworker's work over a real server: offline, across kills, beside colleagues. */
class WorkTest {
    private suspend fun twoPhones(test: suspend (Phone, Phone, String) -> Unit) {
        val grid = Town.newGrid()
        val (first, second) = Phone.enrolled("甲工", grid) to Phone.enrolled("乙工", grid)
        settleAll(first, second)
        test(first, second, first.area(grid))
        for (phone in listOf(first, second)) phone.device.shut()
    }

    @Test
    fun `enrolment is once, and the phone knows who it is`() = case {
        val phone = Phone.enrolled("新工", Town.newGrid())
        phone.device.during { device ->
            assertEquals(phone.person, device.identity()?.user)
            phone.settle()
            assertEquals("新工", device.getWorker(phone.person)?.record?.name)
            fails<GridwalkException.Conflict>("already_enrolled") {
                device.enrol(Town.url, Town.code(phone.person), "又一次")
            }
        }
    }

    @Test
    fun `work without a network is sent when it is back`() = case {
        twoPhones { first, second, area ->
            first.online(false)
            val home = first.device.createRecord("dwelling", dwelling(area, "501"))
            first.device.editRecord(home, mapOf("remarks" to text("门口有灭火器")))
            val outcome = first.device.sync(SyncReason.USER)
            assertEquals(SyncResult.NOT_REACHED, outcome.result)
            assertEquals(2uL, outcome.status.totals.changes.count)
            assertTrue(first.device.record(home)!!.state.waiting)
            first.online(true)
            settleAll(first, second)
            assertEquals("门口有灭火器", second.device.textOf(home, "remarks"))
            assertFalse(first.device.record(home)!!.state.waiting)
        }
    }

    @Test
    fun `what was written before a kill is there and is sent`() = case {
        twoPhones { first, second, area ->
            first.device.shut()
            val worker = Shift.start(first.folder, area)
            val lines = worker.inputStream.bufferedReader()
            val said = List(5) { lines.readLine() }
            worker.destroyForcibly()
            worker.waitFor()
            first.device = opened(first.folder)
            for (home in said) assertNotNull(first.device.getDwelling(home), "told as durable, and gone")
            settleAll(first, second)
            val there = second.device.listDwellings(null, 1000u).entries.map { it.id }
            assertTrue(there.containsAll(said))
        }
    }

    @Test
    fun `two phones in conflict agree once somebody chooses`() = case {
        twoPhones { first, second, area ->
            val home = first.device.createRecord("dwelling", dwelling(area, "101", "原文"))
            settleAll(first, second)
            for ((phone, words) in listOf(first to "甲写的", second to "乙写的")) {
                phone.online(false)
                phone.device.editRecord(home, mapOf("remarks" to text(words)))
            }
            for (phone in listOf(first, second)) phone.online(true)
            settleAll(first, second)
            val key = TrayKey.Conflict(home, "remarks")
            for (phone in listOf(first, second)) {
                val conflict = phone.device.conflicts().single()
                assertEquals("$home dwelling remarks", "${conflict.record} ${conflict.kind} ${conflict.field}")
                val words = conflict.candidates.associate { it.author to (it.value as FieldValue.Text).value }
                assertEquals(mapOf("甲工" to "甲写的", "乙工" to "乙写的"), words)
                assertEquals(key, phone.device.tray().single().key)
            }
            val values = second.device.tray().single().values
            second.device.settle(key, Settlement.Choose(values.first { it.text.zh == "甲写的" }.value)).close()
            settleAll(second, first)
            for (phone in listOf(first, second)) {
                assertTrue(phone.device.conflicts().isEmpty())
                assertEquals("甲写的", phone.device.textOf(home, "remarks"))
            }
        }
    }

    @Test
    fun `a refused report is in the tray and is accepted when sent again`() = case {
        twoPhones { first, second, area ->
            first.online(false)
            // The office makes this person a handler; their phone works on as a gridworker's.
            Town.staff("roles", first.person, "--role", "handler")
            val draft = first.device.beginReport(ReportDraft(area = area, address = "虚构路2号", noPhotoReason = "虚构：没有相机"))
            first.device.chooseCategory(draft, "litter")
            val sent = first.device.sendReport(draft)
            first.online(true)
            repeat(2) { first.device.sync(SyncReason.USER) }
            val item = first.device.tray().single { it.record == sent.event }
            assertEquals(TrayKey.NewRefused(sent.event), item.key)
            assertTrue(TrayAct.WRITE_AGAIN in item.acts)
            val refused = first.device.refusedEdits().map { it.record to it.reason }.toSet()
            assertEquals(setOf(sent.event to "forbidden"), refused)
            // The mistake is put right, and the worker sends the report again.
            Town.staff("roles", first.person, "--role", "gridworker")
            settleAll(first)
            first.device.settle(item.key, Settlement.SendAgain(emptyMap())).close()
            settleAll(first, second)
            assertTrue(first.device.refusedEdits().isEmpty())
            val numbers = second.device.listEvents(null, 1000u).entries.map { it.record.number }
            assertEquals(listOf(sent.number), numbers)
        }
    }

    @Test
    fun `a photo goes up and its receipt comes back`() = case {
        twoPhones { first, second, area ->
            val fields =
                mapOf("area" to FieldValue.Link(area), "category" to text("litter"), "address" to text("虚构路1号"))
            val event = first.device.createRecord("event", fields)
            first.online(false)
            val facts = CaptureFacts("scene", "camera", 1_790_000_000_000, 480, workerCode = "W01", record = event)
            val element = first.device.addPhoto(event, picture(1), facts, null)
            val waiting = first.device.status().totals
            assertEquals(1uL to 1uL, waiting.photos.count to waiting.previews.count)
            first.online(true)
            settleAll(first, second)
            val totals = first.device.status().totals
            assertEquals(0uL to 0uL, totals.photos.count to totals.previews.count, "the server's receipt is here")
            val photo = second.device.photos(event).single()
            assertEquals(element, photo.element)
            val stored = second.device.photo(event, photo.photo.hash)!!
            val digest = MessageDigest.getInstance("SHA-256").digest(stored)
            assertEquals(photo.photo.hash, digest.joinToString("") { "%02x".format(it) })
        }
    }
}
