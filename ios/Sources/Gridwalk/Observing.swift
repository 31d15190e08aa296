import Foundation
import GridwalkCore

/// A stream of answers: for `for try await` in a view's task. It begins at once and has one reader. Ending the loop,
/// cancelling its task or releasing the stream ends the observation, and no call of the listener begins after that.
/// Who reads slowly gets the latest answer, not every one in between.
///
/// It finishes when the device is closed, and throws when the query cannot be answered (`Locked` while the app is
/// locked).
public typealias Answers<Answer> = AsyncThrowingStream<Answer, any Error>

extension Device {
    /// The answers to a query: the present one at once, then each that differs from the last.
    public func answers(to query: Query) -> Answers<Snapshot> {
        answers(to: query) { $0 }
    }

    /// How synchronisation stands.
    public func statuses() -> Answers<SyncStatus> {
        answers(to: .status) { if case .status(let status) = $0 { status } else { nil } }
    }

    /// One record; nil while it is not on this phone.
    public func record(changes id: RecordId) -> Answers<RecordEntry?> {
        answers(to: .record(id: id)) { if case .record(let entry) = $0 { .some(entry) } else { .none } }
    }

    /// The first page of the records of a kind.
    public func firstRecords(kind: String, limit: UInt32) -> Answers<RecordPage> {
        answers(to: .records(kind: kind, limit: limit)) { if case .records(let page) = $0 { page } else { nil } }
    }

    /// The first page of what a search finds; no kinds means all.
    public func found(_ text: String, kinds: [String] = [], limit: UInt32) -> Answers<FoundPage> {
        answers(to: .search(text: text, kinds: kinds, limit: limit)) {
            if case .search(let page) = $0 { page } else { nil }
        }
    }

    /// Every field in conflict.
    public func conflictChanges() -> Answers<[RecordConflict]> {
        answers(to: .conflicts) { if case .conflicts(let conflicts) = $0 { conflicts } else { nil } }
    }

    /// The tray.
    public func trayItems() -> Answers<[TrayItem]> {
        answers(to: .tray) { if case .tray(let items) = $0 { items } else { nil } }
    }

    /// What is due, in walking order from `here`.
    public func todayList(from here: LatLon?, limit: UInt32) -> Answers<Today> {
        answers(to: .today(here: here, limit: limit)) { if case .today(let today) = $0 { today } else { nil } }
    }

    /// The board of a building.
    public func boardOf(estate: String, building: String) -> Answers<Board> {
        answers(to: .board(estate: estate, building: building)) {
            if case .board(let board) = $0 { board } else { nil }
        }
    }

    /// One door.
    public func doorOf(dwelling: RecordId) -> Answers<DoorSheet> {
        answers(to: .door(dwelling: dwelling)) { if case .door(let sheet) = $0 { sheet } else { nil } }
    }

    /// The worker's reports, the latest first.
    public func ownReports(limit: UInt32) -> Answers<[MyReport]> {
        answers(to: .myReports(limit: limit)) { if case .myReports(let reports) = $0 { reports } else { nil } }
    }

    /// The story of an event.
    public func storyOf(event: RecordId) -> Answers<EventStory> {
        answers(to: .eventStory(event: event)) { if case .eventStory(let story) = $0 { story } else { nil } }
    }

    /// Drafts and what else is left at the end of a shift.
    public func drafts() -> Answers<DraftTray> {
        answers(to: .drafts) { if case .drafts(let tray) = $0 { tray } else { nil } }
    }

    /// Reports that the server does not have, the urgent first.
    public func unsentReports() -> Answers<[NotSent]> {
        answers(to: .notSent) { if case .notSent(let reports) = $0 { reports } else { nil } }
    }

    /// An inspection.
    public func inspectionOf(_ inspection: RecordId) -> Answers<InspectionSession> {
        answers(to: .inspection(inspection: inspection)) {
            if case .inspection(let session) = $0 { session } else { nil }
        }
    }

    /// The patrol under way; nil while there is none.
    public func patrolUnderWay() -> Answers<PatrolNow?> {
        answers(to: .patrol) { if case .patrol(let patrol) = $0 { .some(patrol) } else { .none } }
    }

    /// - Parameter answer: Takes the answer out of the snapshot; nil for a snapshot of another query, which never comes.
    private func answers<Answer: Sendable>(
        to query: Query,
        _ answer: @escaping @Sendable (Snapshot) -> Answer?
    ) -> Answers<Answer> {
        let (stream, continuation) = Answers<Answer>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let holder = ObservationHolder()
        continuation.onTermination = { _ in holder.end() }
        let listener = StreamListener(answer: answer, continuation: continuation, holder: holder)
        Task {
            do {
                holder.hold(try await self.observe(query: query, listener: listener))
            } catch {
                continuation.finish(throwing: error)
            }
        }
        return stream
    }
}

/// Passes on what the core tells.
private final class StreamListener<Answer: Sendable>: Listener {
    private let answer: @Sendable (Snapshot) -> Answer?
    private let continuation: Answers<Answer>.Continuation
    private let holder: ObservationHolder

    init(
        answer: @escaping @Sendable (Snapshot) -> Answer?,
        continuation: Answers<Answer>.Continuation,
        holder: ObservationHolder
    ) {
        self.answer = answer
        self.continuation = continuation
        self.holder = holder
    }

    func changed(snapshot: Snapshot) {
        guard let answer = answer(snapshot) else { return }
        let continuation = continuation
        holder.pass { continuation.yield(answer) }
    }

    func failed(error: GridwalkError) {
        holder.passWaiting()
        if case .Closed = error { continuation.finish() } else { continuation.finish(throwing: error) }
    }
}

/// Holds an observation from its beginning to the stream's end, whichever of them comes first. The first answer may be
/// there before the observation is: it waits for that, so that whoever ends the stream ends the observation as well.
private final class ObservationHolder: @unchecked Sendable {
    private let lock = NSLock()
    private var observation: Observation?
    private var waiting: (@Sendable () -> Void)?
    private var held = false
    private var ended = false

    func hold(_ observation: Observation) {
        let late = lock.withLock { () -> Bool in
            held = true
            if !ended { self.observation = observation }
            waiting?()
            waiting = nil
            return ended
        }
        if late { observation.cancel() }
    }

    /// Passes an answer on. Under the lock, so that none overtakes a later one.
    func pass(_ answer: @escaping @Sendable () -> Void) {
        lock.withLock {
            if held { answer() } else { waiting = answer }
        }
    }

    /// Passes on what waits, since no observation comes any more.
    func passWaiting() {
        lock.withLock {
            waiting?()
            waiting = nil
        }
    }

    func end() {
        let held = lock.withLock { () -> Observation? in
            ended = true
            defer { observation = nil }
            return observation
        }
        held?.cancel()
    }
}
