package gridwalk

import gridwalk.ffi.Device
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** Works with a device and closes it in the end, also after an exception or a cancellation. */
suspend fun <T> Device.during(work: suspend (Device) -> T): T =
    try {
        work(this)
    } finally {
        withContext(NonCancellable) { shut() }
    }

/** Closes the store and releases the handle. */
suspend fun Device.shut() {
    closeStore()
    close()
}
