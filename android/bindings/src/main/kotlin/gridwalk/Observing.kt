package gridwalk

import gridwalk.ffi.Board
import gridwalk.ffi.Device
import gridwalk.ffi.DoorSheet
import gridwalk.ffi.DraftTray
import gridwalk.ffi.EventStory
import gridwalk.ffi.FoundPage
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.InspectionSession
import gridwalk.ffi.LatLon
import gridwalk.ffi.Listener
import gridwalk.ffi.MyReport
import gridwalk.ffi.NotSent
import gridwalk.ffi.PatrolNow
import gridwalk.ffi.Query
import gridwalk.ffi.RecordConflict
import gridwalk.ffi.RecordEntry
import gridwalk.ffi.RecordPage
import gridwalk.ffi.Snapshot
import gridwalk.ffi.SyncStatus
import gridwalk.ffi.Today
import gridwalk.ffi.TrayItem
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.map

/**
 * The answers to a query: the present one at once, then each that differs from the last.
 *
 * Cold: each collector observes by itself, and its end (also by cancellation) ends the observation. Who collects slowly
 * gets the latest answer, not every one in between. Completes when the device is closed; ends with the exception when
 * the query cannot be answered ([GridwalkException.Locked] while the app is locked).
 */
fun Device.observed(query: Query): Flow<Snapshot> =
    callbackFlow {
            val listener =
                object : Listener {
                    override fun changed(snapshot: Snapshot) {
                        trySend(snapshot)
                    }

                    override fun failed(error: GridwalkException) {
                        close(error.takeUnless { it is GridwalkException.Closed })
                    }
                }
            val observation = observe(query, listener)
            awaitClose {
                observation.cancel()
                observation.close()
            }
        }
        .buffer(Channel.CONFLATED)

private inline fun <reified S : Snapshot, T> Device.answers(
    query: Query,
    crossinline answer: (S) -> T,
): Flow<T> = observed(query).map { answer(it as S) }

/** How synchronisation stands. */
fun Device.statuses(): Flow<SyncStatus> = answers<Snapshot.Status, _>(Query.Status) { it.status }

/** One record; null while it is not on this phone. */
fun Device.recordChanges(id: String): Flow<RecordEntry?> =
    answers<Snapshot.Record, _>(Query.Record(id)) { it.entry }

/** The first page of the records of a kind. */
fun Device.firstRecords(kind: String, limit: UInt): Flow<RecordPage> =
    answers<Snapshot.Records, _>(Query.Records(kind, limit)) { it.page }

/** The first page of what a search finds; no kinds means all. */
fun Device.found(text: String, kinds: List<String> = emptyList(), limit: UInt): Flow<FoundPage> =
    answers<Snapshot.Search, _>(Query.Search(text, kinds, limit)) { it.page }

/** Every field in conflict. */
fun Device.conflictChanges(): Flow<List<RecordConflict>> =
    answers<Snapshot.Conflicts, _>(Query.Conflicts) { it.conflicts }

/** The tray. */
fun Device.trayItems(): Flow<List<TrayItem>> = answers<Snapshot.Tray, _>(Query.Tray) { it.items }

/** What is due, in walking order from `here`. */
fun Device.todayList(here: LatLon?, limit: UInt): Flow<Today> =
    answers<Snapshot.Today, _>(Query.Today(here, limit)) { it.today }

/** The board of a building. */
fun Device.boardOf(estate: String, building: String): Flow<Board> =
    answers<Snapshot.Board, _>(Query.Board(estate, building)) { it.board }

/** One door. */
fun Device.doorOf(dwelling: String): Flow<DoorSheet> =
    answers<Snapshot.Door, _>(Query.Door(dwelling)) { it.sheet }

/** The worker's reports, the latest first. */
fun Device.ownReports(limit: UInt): Flow<List<MyReport>> =
    answers<Snapshot.MyReports, _>(Query.MyReports(limit)) { it.reports }

/** The story of an event. */
fun Device.storyOf(event: String): Flow<EventStory> =
    answers<Snapshot.EventStory, _>(Query.EventStory(event)) { it.story }

/** Drafts and what else is left at the end of a shift. */
fun Device.drafts(): Flow<DraftTray> = answers<Snapshot.Drafts, _>(Query.Drafts) { it.tray }

/** Reports that the server does not have, the urgent first. */
fun Device.unsentReports(): Flow<List<NotSent>> = answers<Snapshot.NotSent, _>(Query.NotSent) { it.reports }

/** An inspection. */
fun Device.inspectionOf(inspection: String): Flow<InspectionSession> =
    answers<Snapshot.Inspection, _>(Query.Inspection(inspection)) { it.session }

/** The patrol under way; null while there is none. */
fun Device.patrolUnderWay(): Flow<PatrolNow?> = answers<Snapshot.Patrol, _>(Query.Patrol) { it.patrol }
