package gridwalk

import gridwalk.ffi.Capture
import gridwalk.ffi.CaptureFacts
import gridwalk.ffi.CapturedPhoto
import gridwalk.ffi.CapturedVoice
import gridwalk.ffi.Device
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.NewRecord
import gridwalk.ffi.OpenOptions
import gridwalk.ffi.PhoneState
import gridwalk.ffi.PinRules
import gridwalk.ffi.Platform
import gridwalk.ffi.PlatformException
import gridwalk.ffi.SyncReason
import java.io.File
import java.io.RandomAccessFile
import java.net.InetAddress
import java.net.ServerSocket
import java.util.Locale
import kotlinx.coroutines.flow.collect
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** An error of each public kind, brought about from outside. */
class ErrorsTest {
    @Test
    fun `input names each field at fault`() = case {
        practice().during { device ->
            val failure =
                fails<GridwalkException.InvalidInput>("invalid") { device.createRecord("dwelling", emptyMap()) }
            val area = failure.fieldProblems.first { it.field == "area" }
            assertEquals("missing", area.key)
            assertEquals(listOf(area.zh, area.en), listOf(area.text(Locale.SIMPLIFIED_CHINESE), area.text(Locale.UK)))
            assertEquals(failure.problem.zh, failure.problem.text(Locale.CHINA))
            val bad = fails<GridwalkException.InvalidInput>("bad_argument") { device.record("no id") }
            assertEquals(listOf("id"), bad.fields.map { it.field })
            fails<GridwalkException.InvalidInput>("no_purpose") { device.records("resident_id", null, 10u) }
        }
    }

    @Test
    fun `what is not there, not allowed or not registered is told apart`() = case {
        practice().during { device ->
            fails<GridwalkException.NotFound>("no_draft") { device.draft(99) }
            fails<GridwalkException.NotAllowed>("practice") { device.sync(SyncReason.USER) }
        }
        opened().during { device ->
            fails<GridwalkException.NotEnrolled>("not_enrolled") { device.sync(SyncReason.USER) }
        }
    }

    @Test
    fun `a server that is away, newer, displeased or a stranger is told apart`() = case {
        opened().during { device ->
            fails<GridwalkException.Unauthorized>("server.code_invalid") { device.enrol(Town.url, "AAAA-AAAA", "x") }
            val nobody = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
            fails<GridwalkException.Offline>("net.offline") { device.enrol("http://127.0.0.1:$nobody", "x", "x") }
            Refusing(426, 0x82, 5, 0x82, 0x18, 90, 0x18, 91).use { server ->
                fails<GridwalkException.UpdateNeeded>("server.version") { device.enrol(server.url, "x", "x") }
            }
            Refusing(400, 0x82, 3, 0x81, 0x61, 'x'.code).use { server ->
                fails<GridwalkException.Bug>("server.malformed") { device.enrol(server.url, "x", "x") }
            }
        }
    }

    @Test
    fun `one store is open once`() = case {
        val folder = Town.newFolder()
        opened(folder).during { fails<GridwalkException.Conflict>("already_open") { opened(folder) } }
    }

    @Test
    fun `a locked app shows nothing and counts wrong PINs`() = case {
        Device.openWithPin(OpenOptions(Town.newFolder()), Platform(), "246810").during { device ->
            device.lock()
            fails<GridwalkException.Locked>("locked") { device.conflicts() }
            val rules = PinRules(1u, listOf(60_000L))
            fails<GridwalkException.Locked>("key_mismatch") { device.unlockWithPin(null, "000000", rules) }
            val tooMany =
                fails<GridwalkException.Locked>("too_many_tries") { device.unlockWithPin(null, "246810", rules) }
            assertTrue(tooMany.until!! > device.now())
        }
    }

    @Test
    fun `paused and closed devices say so`() = case {
        val device = practice()
        device.pause()
        fails<GridwalkException.Paused>("paused") { device.status() }
        device.resume()
        device.closeStore()
        fails<GridwalkException.Closed>("closed") { device.status() }
        fails<GridwalkException.Closed>("closed") { device.resume() }
        device.closeStore()
        device.close()
    }

    /** A camera that the worker leaves without a photo, and a microphone that breaks. */
    private object Left : Capture {
        override suspend fun photo(role: String): CapturedPhoto = throw PlatformException.Cancelled()

        override suspend fun voice(): CapturedVoice = throw IllegalStateException("made up")
    }

    @Test
    fun `a camera that was left is no failure and a microphone that breaks is`() = case {
        practice().during { device ->
            fails<GridwalkException.Cancelled>("cancelled") { device.capturePhoto(Left, "scene") }
            val broken = fails<GridwalkException.Platform>("platform.capture") { device.captureVoice(Left, AREA) }
            assertTrue("made up" in broken.reason)
        }
    }

    @Test
    fun `a full phone takes records and no photos`() = case {
        practice().during { device ->
            device.setPhoneState(PhoneState(freeBytes = 0uL))
            val facts = CaptureFacts("scene", "camera", 0, 480, workerCode = "W01")
            fails<GridwalkException.StorageFull>("storage_full") { device.journalPhoto(picture(2), facts) }
            device.createRecord("dwelling", dwelling(AREA, "1"))
        }
    }

    @Test
    fun `a folder that cannot be made has failed`() = case {
        val file = File(Town.newFolder()).apply { writeText("a file, no folder") }
        fails<GridwalkException.StorageFailed>("file") { opened(File(file, "store").path) }
    }

    @Test
    fun `a damaged store is told and set aside`() = case {
        val folder = Town.newFolder()
        practice(folder).during { device ->
            device.createRecords(List(1000) { NewRecord("dwelling", dwelling(AREA, "%04d".format(it))) })
        }
        // Opened anew, it has read little of the file yet.
        practice(folder).during { device ->
            val store = File(folder).listFiles()!!.maxBy(File::length)
            RandomAccessFile(store, "rw").use { file ->
                for (page in 8 * 4096 until file.length().toInt() step 4096) {
                    file.seek(page + 100L)
                    file.writeBytes("damaged")
                }
            }
            fails<GridwalkException.Corrupt>("damaged") { device.allDwellings().collect() }
        }
        // The next opening sets it aside.
        practice(folder).during { device -> device.allDwellings().collect() }
    }

    @Test
    fun `every kind has its test here`() {
        val source = File("src/test/kotlin/gridwalk/ErrorsTest.kt").readText()
        val base = GridwalkException::class.java
        val kinds = base.declaredClasses.filter { base.isAssignableFrom(it) }
        assertTrue(kinds.size > 10)
        val forgotten = kinds.map { it.simpleName }.filterNot { "fails<GridwalkException.$it>" in source }
        assertEquals(emptyList<String>(), forgotten)
    }
}
