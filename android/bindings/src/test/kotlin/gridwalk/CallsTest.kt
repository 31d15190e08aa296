package gridwalk

import gridwalk.ffi.Clock
import gridwalk.ffi.DeviceKey
import gridwalk.ffi.FfiConverterTypeListener
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.KeyStore
import gridwalk.ffi.Listener
import gridwalk.ffi.NewRecord
import gridwalk.ffi.Platform
import gridwalk.ffi.PlatformException
import gridwalk.ffi.Query
import gridwalk.ffi.RecordPage
import gridwalk.ffi.Snapshot
import gridwalk.ffi.SyncReason
import java.io.File
import java.util.Locale
import kotlin.math.abs
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.measureTime
import kotlin.time.measureTimedValue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** How calls behave: paused, cancelled, many at once, with listeners and with a platform that fails. */
class CallsTest {
    private fun files(folder: String) =
        File(folder).listFiles()!!.filter(File::isFile).associate { it.name to it.readBytes().contentHashCode() }

    /** A phone whose wire can be held, a colleague's, and a home that waits to be sent. */
    private suspend fun held(test: suspend (Wire, Phone, String) -> Unit) {
        val grid = Town.newGrid()
        Wire(Town.url).use { wire ->
            val (phone, other) = Phone.enrolled("停工", grid, wire.url) to Phone.enrolled("同事", grid)
            settleAll(phone, other)
            val area = phone.area(grid)
            // Held first: an edit is sent by itself, and its answer would be held where nobody waits for it.
            wire.hold()
            val home = phone.device.createRecord("dwelling", dwelling(area, "101"))
            test(wire, phone, home)
            settleAll(phone, other)
            assertEquals("101", other.device.textOf(home, "room"))
            for (each in listOf(phone, other)) each.device.shut()
        }
    }

    @Test
    fun `a pause during a sync stops it, and the next one goes on`() = case {
        held { wire, phone, home ->
            val sync =
                async(start = CoroutineStart.UNDISPATCHED) {
                    runCatching { phone.device.sync(SyncReason.USER) }
                }
            wire.reached()
            phone.device.pause()
            assertTrue(sync.await().exceptionOrNull() is GridwalkException.Paused)
            val before = files(phone.folder)
            fails<GridwalkException.Paused>("paused") { phone.device.status() }
            fails<GridwalkException.Paused> { phone.device.record(home) }
            fails<GridwalkException.Paused> { phone.device.sync(SyncReason.USER) }
            phone.device.pause()
            wire.release()
            assertEquals(before, files(phone.folder), "a paused store was touched")
            phone.device.resume()
        }
    }

    @Test
    fun `a cancelled sync drops the waiting only`() = case {
        held { wire, phone, _ ->
            val sync = launch(start = CoroutineStart.UNDISPATCHED) { phone.device.sync(SyncReason.USER) }
            wire.reached()
            sync.cancel()
            sync.join()
            assertTrue(sync.isCancelled)
            wire.release()
        }
    }

    @Test
    fun `a cancelled write is whole or never was`() = case {
        practice().during { device ->
            val kept = Channel<String>(Channel.UNLIMITED)
            val writes =
                List(50) {
                    launch(Dispatchers.Default) {
                        kept.send(device.createRecord("dwelling", dwelling(AREA, "$it", "整")))
                    }
                }
            writes.filterIndexed { number, _ -> number % 2 == 0 }.forEach { it.cancel() }
            writes.joinAll()
            kept.close()
            // What was written goes through one thread in its order: behind a pause nothing is left over.
            device.pause()
            device.resume()
            val rows = device.allDwellings().toList()
            assertTrue(rows.all { it.record.room != null && it.record.remarks == "整" })
            val told = generateSequence { kept.tryReceive().getOrNull() }.toList()
            assertTrue(told.size >= 25)
            assertTrue(rows.map { it.id }.containsAll(told))
        }
    }

    @Test
    fun `fifty calls at once`() = case {
        practice().during { device ->
            val numbers = List(50) { "%02d".format(it) }
            val made =
                numbers.map { async(Dispatchers.Default) { device.createRecord("dwelling", dwelling(AREA, it)) } }
            val read = made.awaitAll().map { async(Dispatchers.Default) { device.getDwelling(it) } }
            assertEquals(numbers, read.awaitAll().map { it?.record?.room })
        }
    }

    @Test
    fun `Chinese and emoji come back as they were`() = case {
        practice().during { device ->
            val name = "欧阳娜娜👩‍👩‍👧‍👦𠮷🏠"
            val fields = mapOf("name" to text(name), "remarks" to text("喜欢🌶️，住三楼"))
            val person = device.createRecord("resident", fields)
            assertEquals(name, device.getResident(person)?.record?.name)
            assertEquals("喜欢🌶️，住三楼", device.textOf(person, "remarks"))
            for (asked in listOf("欧阳", "ouyang")) {
                val found = device.everythingFound(asked, listOf("resident")).map { it.entry.id }.toList()
                assertEquals(listOf(person), found, asked)
            }
        }
    }

    @Test
    fun `ten thousand records in pages`() = case {
        val folder = Town.newFolder()
        val rooms = List(10_000) { "%05d".format(it) }
        practice(folder).during { device ->
            for (some in rooms.chunked(1000)) {
                device.createRecords(some.map { NewRecord("dwelling", dwelling(AREA, it)) })
            }
        }
        practice(folder).during { device ->
            assertEquals(rooms, device.allDwellings(500u).map { it.record.room }.toList())
        }
        // Printed only: how long something takes depends on the machine.
        println("figures: ${figures(folder)}")
    }

    /** What crossing the boundary costs, each the median of many. */
    private suspend fun figures(folder: String): String {
        val openings =
            List(11) {
                measureTimedValue { practice(folder) }.let { (device, time) ->
                    device.shut()
                    time
                }
            }
        val pages = mutableListOf<Duration>()
        practice(folder).during { device ->
            repeat(1_000) { device.listDwellings(null, 50u) }
            repeat(201) { pages += measureTime { device.listDwellings(null, 50u) } }
        }
        fun median(times: List<Duration>) =
            "%.2f ms".format(Locale.ROOT, times.sorted()[times.size / 2].toDouble(DurationUnit.MILLISECONDS))
        return "cold open of 10,000 records ${median(openings)}, a page of 50 rows ${median(pages)}"
    }

    @Test
    fun `a flow tells the present state, then changes, and leaves nothing behind`() = case {
        practice().during { device ->
            val told = Channel<RecordPage>(Channel.UNLIMITED)
            val collecting = launch { device.firstRecords("dwelling", 10u).collect { told.send(it) } }
            assertTrue(told.receive().entries.isEmpty())
            val home = device.createRecord("dwelling", dwelling(AREA, "1"))
            assertEquals(listOf(home), told.receive().entries.map { it.id })
            assertEquals(1u, device.openObservations())
            collecting.cancelAndJoin()
            assertEquals(0u, device.openObservations())
            // Ends by itself after one answer.
            assertEquals(1, device.firstRecords("dwelling", 10u).first().entries.size)
            assertEquals(0u, device.openObservations())
        }
    }

    @Test
    fun `a listener that throws is told of the next change all the same, and is released`() = case {
        practice().during { device ->
            val before = FfiConverterTypeListener.handleMap.size
            val told = Channel<Snapshot.Records>(Channel.UNLIMITED)
            val listener =
                object : Listener {
                    override fun changed(snapshot: Snapshot) {
                        told.trySend(snapshot as Snapshot.Records)
                        throw IllegalStateException("made up")
                    }

                    override fun failed(error: GridwalkException) = throw error
                }
            device.observe(Query.Records("dwelling", 10u), listener).use { observation ->
                told.receive()
                device.createRecord("dwelling", dwelling(AREA, "1"))
                assertEquals(1, told.receive().page.entries.size)
                observation.cancelAndWait()
                assertTrue(observation.isCancelled())
                // Nothing on the other side holds the listener any more.
                assertTrue(FfiConverterTypeListener.handleMap.size <= before)
            }
            assertEquals(0u, device.openObservations())
        }
    }

    @Test
    fun `closing ends a flow, and a failure ends it with its exception`() = case {
        val device = practice()
        val ready = CompletableDeferred<Unit>()
        val seen = async { device.statuses().onEach { ready.complete(Unit) }.toList() }
        ready.await()
        val failed = runCatching { device.firstRecords("no_such_kind", 1u).first() }.exceptionOrNull()
        assertTrue(failed is GridwalkException.InvalidInput, "$failed")
        device.closeStore()
        assertTrue(seen.await().isNotEmpty())
        device.close()
    }

    @Test
    fun `a released handle cannot be used`() = case {
        val device = practice()
        device.shut()
        assertThrows(IllegalStateException::class.java) { device.now() }
    }

    /** A key store that works until its finger is hurt. */
    private class Keys(var hurt: Boolean = false) : KeyStore {
        override suspend fun wrap(key: ByteArray) = key.reversedArray()

        override suspend fun unwrap(wrapped: ByteArray): ByteArray {
            if (hurt) throw PlatformException.Failed("no finger")
            return wrapped.reversedArray()
        }

        override suspend fun delete() = throw PlatformException.Failed("nobody asked for a wipe")
    }

    @Test
    fun `a key store that throws fails the call and nothing else`() = case {
        val (keys, folder) = Keys() to Town.newFolder()
        val platform = Platform(keyStore = keys)
        opened(folder, platform).shut()
        keys.hurt = true
        val failure = fails<GridwalkException.Platform>("platform.key_store") { opened(folder, platform) }
        assertTrue("no finger" in failure.reason)
        keys.hurt = false
        opened(folder, platform).during { device ->
            keys.hurt = true
            device.lock()
            fails<GridwalkException.Platform> { device.unlock(keys) }
            assertTrue(device.isLocked())
            keys.hurt = false
            device.unlock(keys)
            assertTrue(device.conflicts().isEmpty())
        }
    }

    @Test
    fun `a device key that throws fails the enrolment`() = case {
        val broken =
            object : DeviceKey {
                override fun publicKey(): ByteArray = throw PlatformException.Failed("no secure hardware")

                override fun sign(message: ByteArray): ByteArray = throw IllegalStateException("never asked")
            }
        val person = Town.gridworker("无钥", Town.newGrid())
        opened(platform = Platform(deviceKey = broken)).during { device ->
            val failure = fails<GridwalkException.Platform> { device.enrol(Town.url, Town.code(person), "无钥的手机") }
            assertTrue("no secure hardware" in failure.reason)
        }
    }

    @Test
    fun `a clock that throws is replaced by the system's`() = case {
        val broken =
            object : Clock {
                override fun now(): Long = throw IllegalStateException("made up")
            }
        practice(platform = Platform(clock = broken)).during { device ->
            assertTrue(abs(device.now() - System.currentTimeMillis()) < 60_000)
        }
    }
}
