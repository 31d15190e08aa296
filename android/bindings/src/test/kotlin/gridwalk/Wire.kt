package gridwalk

import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock
import kotlinx.coroutines.CompletableDeferred

private fun listening() = ServerSocket(0, 50, InetAddress.getLoopbackAddress())

/** Passes bytes on to a server; while it is held, what a phone sends goes nowhere. */
class Wire(target: String) : AutoCloseable {
    private val target = URI(target)
    private val door = listening()
    private val sockets = ConcurrentLinkedQueue<Socket>()
    private val lock = ReentrantLock()
    private val opened = lock.newCondition()
    @Volatile private var held = false
    @Volatile private var arrival = CompletableDeferred<Unit>()
    val url = "http://127.0.0.1:${door.localPort}"

    init {
        thread(isDaemon = true) { quietly { while (true) serve(door.accept()) } }
    }

    fun hold() =
        lock.withLock {
            arrival = CompletableDeferred()
            held = true
        }

    /** Returns when a phone has sent something since the wire was held. */
    suspend fun reached() = arrival.await()

    fun release() =
        lock.withLock {
            held = false
            opened.signalAll()
        }

    override fun close() {
        release()
        door.close()
        sockets.forEach { it.close() }
    }

    private fun serve(phone: Socket) {
        val server = Socket(target.host, target.port)
        sockets += listOf(phone, server)
        thread(isDaemon = true) { quietly { pass(phone.getInputStream(), server.getOutputStream(), true) } }
        thread(isDaemon = true) { quietly { pass(server.getInputStream(), phone.getOutputStream(), false) } }
    }

    private fun pass(from: InputStream, to: OutputStream, outward: Boolean) {
        val buffer = ByteArray(1 shl 16)
        to.use {
            while (true) {
                val read = from.read(buffer)
                if (read < 0) return
                lock.withLock {
                    if (held && outward) arrival.complete(Unit)
                    while (held) opened.await()
                }
                to.write(buffer, 0, read)
                to.flush()
            }
        }
    }
}

/** A server that answers every request with one error of `schemas/sync.cddl`. */
class Refusing(private val status: Int, vararg cbor: Int) : AutoCloseable {
    private val door = listening()
    private val body = framed(cbor.map(Int::toByte).toByteArray())
    val url = "http://127.0.0.1:${door.localPort}"

    init {
        thread(isDaemon = true) { quietly { while (true) door.accept().use(::answer) } }
    }

    override fun close() = door.close()

    private fun answer(phone: Socket) {
        val input = phone.getInputStream()
        val head = StringBuilder()
        while (!head.endsWith("\r\n\r\n")) head.append(input.read().toChar())
        val length = Regex("content-length: *(\\d+)", RegexOption.IGNORE_CASE).find(head)
        if (length != null) {
            input.readNBytes(length.groupValues[1].toInt())
        } else {
            val chunks = StringBuilder()
            while (!chunks.endsWith("0\r\n\r\n")) chunks.append(input.read().toChar())
        }
        val words = "HTTP/1.1 $status Refused\r\nContent-Length: ${body.size}\r\nConnection: close\r\n\r\n"
        phone.getOutputStream().write(words.toByteArray() + body)
    }

    private companion object {
        /** CBOR as the protocol frames it: one zstd frame, here with a single block that is not compressed. */
        fun framed(cbor: ByteArray): ByteArray {
            val block = (cbor.size shl 3) or 1
            val head = listOf(0x28, 0xb5, 0x2f, 0xfd, 0x20, cbor.size, block and 255, block shr 8 and 255, 0)
            return head.map(Int::toByte).toByteArray() + cbor
        }
    }
}

/** Sockets that were closed under their readers are no failure. */
private inline fun quietly(work: () -> Unit) {
    try {
        work()
    } catch (_: java.io.IOException) {}
}
