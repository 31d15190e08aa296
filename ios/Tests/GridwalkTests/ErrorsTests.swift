import Foundation
import Gridwalk
import Testing

/// The kinds of errors without what they carry. A new kind does not compile until it stands here.
enum ErrorKind: String, CaseIterable {
    case offline, unauthorized, conflict, storageFull, storageFailed, corrupt, invalidInput, notFound, notAllowed
    case updateNeeded, locked, notEnrolled, platform, cancelled, paused, closed, bug

    init(_ error: GridwalkError) {
        self =
            switch error {
            case .Offline: .offline
            case .Unauthorized: .unauthorized
            case .Conflict: .conflict
            case .StorageFull: .storageFull
            case .StorageFailed: .storageFailed
            case .Corrupt: .corrupt
            case .InvalidInput: .invalidInput
            case .NotFound: .notFound
            case .NotAllowed: .notAllowed
            case .UpdateNeeded: .updateNeeded
            case .Locked: .locked
            case .NotEnrolled: .notEnrolled
            case .Platform: .platform
            case .Cancelled: .cancelled
            case .Paused: .paused
            case .Closed: .closed
            case .Bug: .bug
            }
    }
}

/// Fails unless the call fails with this kind; returns the error, whose words are there in both languages.
@discardableResult
func fails(
    _ kind: ErrorKind,
    _ key: String? = nil,
    at place: SourceLocation = #_sourceLocation,
    _ call: () async throws -> Void
) async throws -> GridwalkError {
    do {
        try await call()
    } catch let error as GridwalkError {
        #expect(ErrorKind(error) == kind, "\(error)", sourceLocation: place)
        let problem = error.problem
        if let key { #expect(problem.key == key, sourceLocation: place) }
        #expect(!problem.zh.isEmpty && !problem.en.isEmpty, sourceLocation: place)
        return error
    }
    throw Broken("\(kind) was expected at \(place)")
}

/// A camera that the worker leaves without a photo, and a microphone that breaks.
private final class Left: Capture {
    func photo(role: PhotoRole) async throws -> CapturedPhoto {
        throw PlatformError.Cancelled
    }

    func voice() async throws -> CapturedVoice {
        throw Broken("made up")
    }
}

/// An error of each public kind, brought about from outside.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ErrorsTests {
    @Test("input names each field at fault")
    func input() async throws {
        try await practice().during { device in
            let error = try await fails(.invalidInput, "invalid") {
                _ = try await device.createRecord(kind: "dwelling", fields: [:])
            }
            let area = try #require(error.fieldProblems.first { $0.field == "area" })
            #expect(area.key == "missing")
            #expect(area.text(in: Locale(identifier: "zh_CN")) == area.zh)
            #expect(error.problem.text(in: Locale(identifier: "en_GB")) == error.problem.en)
            let bad = try await fails(.invalidInput, "bad_argument") { _ = try await device.record(id: "no id") }
            #expect(bad.fieldProblems.map(\.field) == ["id"])
            try await fails(.invalidInput, "no_purpose") {
                _ = try await device.records(kind: "resident_id", after: nil, limit: 10)
            }
        }
    }

    @Test("what is not there, not allowed or not registered is told apart")
    func states() async throws {
        try await practice().during { device in
            try await fails(.notFound, "no_draft") { _ = try await device.draft(draft: 99) }
            try await fails(.notAllowed, "practice") { _ = try await device.sync(reason: .user) }
        }
        try await opened().during { device in
            try await fails(.notEnrolled, "not_enrolled") { _ = try await device.sync(reason: .user) }
        }
    }

    @Test("a server that is away, newer, displeased or a stranger is told apart")
    func servers() async throws {
        try await opened().during { device in
            func enrol(_ url: String) async throws {
                _ = try await device.enrol(url: url, code: "AAAA-AAAA", label: "x")
            }
            let town = try Town.shared()
            try await fails(.unauthorized, "server.code_invalid") { try await enrol(town.url) }
            try await nobodysPort { url in
                _ = try await fails(.offline, "net.offline") { try await enrol(url) }
            }
            let newer = try Refusing(426, [0x82, 5, 0x82, 0x18, 90, 0x18, 91])
            defer { newer.close() }
            try await fails(.updateNeeded, "server.version") { try await enrol(newer.url) }
            let displeased = try Refusing(400, [0x82, 3, 0x81, 0x61, UInt8(ascii: "x")])
            defer { displeased.close() }
            try await fails(.bug, "server.malformed") { try await enrol(displeased.url) }
        }
    }

    @Test("one store is open once")
    func openOnce() async throws {
        let folder = try Town.shared().newFolder()
        try await opened(folder).during { _ in
            _ = try await fails(.conflict, "already_open") { _ = try await opened(folder) }
        }
    }

    @Test("a locked app shows nothing and counts wrong PINs")
    func locked() async throws {
        let options = OpenOptions(folder: try Town.shared().newFolder())
        try await Device.openWithPin(options: options, platform: Platform(), pin: "246810").during { device in
            try await device.lock()
            try await fails(.locked, "locked") { _ = try await device.conflicts() }
            let rules = PinRules(free: 1, waitsMs: [60_000])
            try await fails(.locked, "key_mismatch") {
                try await device.unlockWithPin(keyStore: nil, pin: "000000", rules: rules)
            }
            let error = try await fails(.locked, "too_many_tries") {
                try await device.unlockWithPin(keyStore: nil, pin: "246810", rules: rules)
            }
            guard case .Locked(_, let until) = error else { throw Broken("\(error)") }
            #expect(try #require(until) > device.now())
        }
    }

    @Test("paused and closed devices say so")
    func phases() async throws {
        let device = try await practice()
        try await device.pause()
        try await fails(.paused, "paused") { _ = try await device.status() }
        try await device.resume()
        try await device.close()
        try await fails(.closed, "closed") { _ = try await device.status() }
        try await fails(.closed, "closed") { try await device.resume() }
        try await device.close()
    }

    @Test("a camera that was left is no failure and a microphone that breaks is")
    func capture() async throws {
        try await practice().during { device in
            try await fails(.cancelled, "cancelled") {
                _ = try await device.capturePhoto(capture: Left(), role: "scene")
            }
            let error = try await fails(.platform, "platform.capture") {
                _ = try await device.captureVoice(capture: Left(), record: nowhere)
            }
            guard case .Platform(_, let reason) = error else { throw Broken("\(error)") }
            #expect(reason.contains("made up"))
        }
    }

    @Test("a full phone takes records and no photos")
    func fullPhone() async throws {
        try await practice().during { device in
            _ = try await device.setPhoneState(state: PhoneState(freeBytes: 0))
            let facts = CaptureFacts(
                role: "scene", source: "camera", at: 0, utcOffsetMinutes: 480, workerCode: "W01"
            )
            try await fails(.storageFull, "storage_full") {
                _ = try await device.journalPhoto(original: picture(2), facts: facts)
            }
            _ = try await device.createRecord(kind: "dwelling", fields: dwelling(nowhere, "1"))
        }
    }

    @Test("a folder that cannot be made has failed")
    func noFolder() async throws {
        let file = try Town.shared().newFolder()
        try Data("a file, no folder".utf8).write(to: URL(fileURLWithPath: file))
        try await fails(.storageFailed, "file") { _ = try await opened(file + "/store") }
    }

    @Test("a damaged store is told and set aside")
    func damaged() async throws {
        let folder = try Town.shared().newFolder()
        try await practice(folder).during { device in
            let rooms = (0..<1000).map { String(format: "%04d", $0) }
            let records = rooms.map { NewRecord(kind: "dwelling", fields: dwelling(nowhere, $0)) }
            _ = try await device.createRecords(records: records)
        }
        // Opened anew, it has read little of the file yet.
        try await practice(folder).during { device in
            try damageLargestFile(of: folder)
            try await fails(.corrupt, "damaged") { _ = try await device.allDwellings().all() }
        }
        // The next opening sets it aside.
        try await practice(folder).during { device in
            _ = try await device.allDwellings().all()
        }
    }

    private func damageLargestFile(of folder: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let sizes = try names.map { name in
            let path = "\(folder)/\(name)"
            return (path, try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64 ?? 0)
        }
        let (path, size) = try #require(sizes.max { $0.1 < $1.1 })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        for page in stride(from: 8 * 4096, to: size, by: 4096) {
            try file.seek(toOffset: page + 100)
            try file.write(contentsOf: Data("damaged".utf8))
        }
        try file.close()
    }

    @Test("every kind has its test here")
    func everyKind() throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let forgotten = ErrorKind.allCases.filter { !source.contains("fails(.\($0.rawValue)") }
        #expect(forgotten == [])
    }
}
