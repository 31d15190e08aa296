package gridwalk

import gridwalk.ffi.Device
import gridwalk.ffi.DwellingEntry
import gridwalk.ffi.FoundRecord
import gridwalk.ffi.RecordEntry
import gridwalk.ffi.ResidentEntry
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** How many rows are fetched at a time where nobody says otherwise. */
const val PAGE: UInt = 200u

/**
 * The rows of a list that is read in pages by key: the next page is fetched when the collector has taken the last row.
 * Rows that come or go meanwhile are neither skipped nor told twice.
 */
fun <P, R> paged(read: suspend (after: String?) -> P, rows: (P) -> List<R>, next: (P) -> String?): Flow<R> =
    flow {
        var after: String? = null
        do {
            val page = read(after)
            rows(page).forEach { emit(it) }
            after = next(page)
        } while (after != null)
    }

/** All records of a kind, in the order of the kind. */
fun Device.allRecords(kind: String, page: UInt = PAGE): Flow<RecordEntry> =
    paged({ records(kind, it, page) }, { it.entries }, { it.next })

/** All dwellings, by building and door. */
fun Device.allDwellings(page: UInt = PAGE): Flow<DwellingEntry> =
    paged({ listDwellings(it, page) }, { it.entries }, { it.next })

/** All residents, by name. */
fun Device.allResidents(page: UInt = PAGE): Flow<ResidentEntry> =
    paged({ listResidents(it, page) }, { it.entries }, { it.next })

/** Everything that a search finds, best first; no kinds means all. */
fun Device.everythingFound(text: String, kinds: List<String> = emptyList(), page: UInt = PAGE): Flow<FoundRecord> =
    paged({ search(text, kinds, it, page) }, { it.found }, { it.next })
