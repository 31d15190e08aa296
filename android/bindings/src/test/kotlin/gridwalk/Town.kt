package gridwalk

import gridwalk.ffi.Device
import gridwalk.ffi.FieldValue
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.OpenOptions
import gridwalk.ffi.Platform
import gridwalk.ffi.SyncOutcome
import gridwalk.ffi.SyncReason
import gridwalk.ffi.SyncResult
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.createDirectories
import kotlin.io.path.writeText
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** How often a phone synchronises before a test fails: each attempt is a whole one. */
private const val TRIES = 12

/** How long a test that would hang may take. */
private const val PATIENCE_MS = 180_000L

private const val STREET = "990100001"
private const val COMMUNITY = "990100001001"
private const val GRIDS = 40

/** A grid that no phone has: enough for practice, which sends nothing. */
const val AREA = "00000000-0000-7000-8000-000000000001"

/** A made-up town: one real server process on a free port of this machine; each test takes a grid of its own. */
object Town {
    private val folder: Path = Files.createTempDirectory("gridwalk-bindings-")
    private val data = folder.resolve("server").createDirectories()
    private val server: Process
    private val taken = AtomicInteger()
    val url: String

    init {
        server =
            ProcessBuilder(program(), "serve", "--listen", "127.0.0.1:0", "--name", "虚构区", "--data", "$data")
                .redirectError(data.resolve("server.log").toFile())
                .start()
        Runtime.getRuntime().addShutdownHook(Thread(::stop))
        val said = server.inputStream.bufferedReader().readLine().orEmpty()
        check(said.startsWith("listening on ")) { "the server did not start: $said" }
        url = said.removePrefix("listening on ").trim()
        val areas = folder.resolve("areas.geojson").apply { writeText(areas()) }
        command("import", "areas", "--datum", "wgs84", "--data", "$data", "$areas")
    }

    private fun stop() {
        server.destroy()
        server.waitFor()
        folder.toFile().deleteRecursively()
    }

    private fun program() = checkNotNull(System.getenv("GRIDWALK_SERVER")) { "run `cargo xtask test bindings`" }

    /** Runs one of the server's own commands and returns what it printed. */
    private fun command(vararg words: String): String {
        val process = ProcessBuilder(program(), *words).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        check(process.waitFor() == 0) { "${words.toList()}: $said" }
        return said.trim()
    }

    fun staff(command: String, vararg words: String) = command("staff", command, "--data", "$data", *words)

    fun newGrid(): String = gridCode(taken.getAndIncrement())

    fun gridworker(name: String, grid: String) = staff("add", name, "--role", "gridworker", "--area", grid)

    fun code(person: String) = staff("code", person)

    fun newFolder(): String = Files.createTempDirectory(folder, "phone-").resolve("store").toString()

    private fun gridCode(number: Int) = COMMUNITY + "%03d".format(number + 1)

    /** A street, its one community, and the grids of that, side by side. */
    private fun areas(): String {
        fun feature(level: String, code: String, name: String, parent: String, from: Int, to: Int): String {
            val (west, east) = listOf(from, to).map { "%.3f".format(120.4 + it / 1000.0) }
            val ring = "[[$west,36.1],[$east,36.1],[$east,36.11],[$west,36.11],[$west,36.1]]"
            return """{"type":"Feature","properties":{"level":"$level","code":"$code","name":"$name",""" +
                """"parent":"$parent"},"geometry":{"type":"Polygon","coordinates":[$ring]}}"""
        }
        val above =
            listOf(
                feature("street", STREET, "虚构街道", "990100", 0, GRIDS),
                feature("community", COMMUNITY, "虚构社区", STREET, 0, GRIDS),
            )
        val grids =
            (0 until GRIDS).map { feature("grid", gridCode(it), "虚构第${it + 1}网格", COMMUNITY, it, it + 1) }
        return """{"type":"FeatureCollection","features":[${(above + grids).joinToString(",")}]}"""
    }
}

/** A test that suspends, and fails instead of hanging. */
fun case(test: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(PATIENCE_MS, test) }

suspend fun opened(folder: String = Town.newFolder(), platform: Platform = Platform()): Device =
    Device.open(OpenOptions(folder), platform)

suspend fun practice(folder: String = Town.newFolder(), platform: Platform = Platform()): Device =
    Device.openPractice(OpenOptions(folder), platform)

/** A gridworker's phone, registered. */
class Phone(var device: Device, val folder: String, val person: String) {
    /** Synchronises until everything is sent and received. */
    suspend fun settle() {
        var last: SyncOutcome? = null
        repeat(TRIES) {
            last = device.sync(SyncReason.USER)
            if (last?.result == SyncResult.SETTLED) return
        }
        throw AssertionError("not settled: $last")
    }

    suspend fun online(there: Boolean) = device.setNetwork(there, there)

    /** The record of a grid by its code. */
    suspend fun area(code: String): String =
        device.listAreas(null, 1000u).entries.first { it.record.code == code }.id

    companion object {
        suspend fun enrolled(name: String, grid: String, url: String = Town.url): Phone {
            val (person, folder) = Town.gridworker(name, grid) to Town.newFolder()
            val device = opened(folder)
            assertEquals(person, device.enrol(url, Town.code(person), "${name}的手机").user)
            return Phone(device, folder, person)
        }
    }
}

/** Twice round: what the last one sends, the first one has to fetch. */
suspend fun settleAll(vararg phones: Phone) = repeat(2) { phones.forEach { it.settle() } }

fun text(value: String) = FieldValue.Text(value)

/** The fields of a made-up dwelling. */
fun dwelling(area: String, room: String, remarks: String? = null): Map<String, FieldValue> =
    buildMap {
        put("area", FieldValue.Link(area))
        put("estate", text("虚构小区"))
        put("building", text("1号楼"))
        put("room", text(room))
        if (remarks != null) put("remarks", text(remarks))
    }

suspend fun Device.textOf(record: String, field: String): String? =
    (record(record)?.fields?.get(field) as? FieldValue.Text)?.value

/** Fails unless the call fails with this kind; returns the exception, whose words are there in both languages. */
suspend inline fun <reified E : GridwalkException> fails(key: String? = null, call: () -> Any?): E {
    val failure =
        try {
            call()
            throw AssertionError("${E::class.simpleName} was expected")
        } catch (failure: GridwalkException) {
            failure
        }
    if (failure !is E) throw AssertionError("${E::class.simpleName} was expected", failure)
    val problem = failure.problem
    if (key != null) assertEquals(key, problem.key)
    assertTrue(problem.zh.isNotEmpty() && problem.en.isNotEmpty())
    return failure
}
