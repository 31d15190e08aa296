import Foundation
import Gridwalk
import Testing

/// How calls behave: paused, cancelled, many at once, with streams and listeners.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CallsTests {
    private func files(_ folder: String) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let paths = names.map { "\(folder)/\($0)" }
        let found = paths.compactMap { path in FileManager.default.contents(atPath: path).map { (path, $0) } }
        return Dictionary(uniqueKeysWithValues: found)
    }

    /// A phone whose wire can be held, a colleague's, and a home that waits to be sent.
    private func held(_ test: (Wire, Phone, _ home: String) async throws -> Void) async throws {
        let town = try Town.shared()
        let grid = town.newGrid()
        let wire = try Wire(to: town.url)
        defer { wire.close() }
        let phone = try await Phone.enrolled("停工", grid: grid, url: wire.url)
        let other = try await Phone.enrolled("同事", grid: grid)
        try await settleAll(phone, other)
        let fields = dwelling(try await phone.area(grid), "101")
        // Before the record is made, which is sent by itself: an answer that is held back would look like a dead server.
        wire.hold()
        let home = try await phone.device.createRecord(kind: "dwelling", fields: fields)
        try await test(wire, phone, home)
        try await settleAll(phone, other)
        #expect(try await other.device.textOf(home, "room") == "101")
        for each in [phone, other] { try await each.device.close() }
    }

    @Test("a pause during a sync stops it, and the next one goes on")
    func pause() async throws {
        try await held { wire, phone, home in
            let device = phone.device
            let sync = Task { try await device.sync(reason: .user) }
            await wire.reached()
            try await device.pause()
            try await fails(.paused, "paused") { _ = try await sync.value }
            let before = try files(phone.folder)
            try await fails(.paused) { _ = try await device.status() }
            try await fails(.paused) { _ = try await device.record(id: home) }
            try await fails(.paused) { _ = try await device.sync(reason: .user) }
            try await device.pause()
            wire.release()
            #expect(try files(phone.folder) == before, "a paused store was touched")
            try await device.resume()
        }
    }

    @Test("a cancelled sync drops the waiting only")
    func cancelledSync() async throws {
        try await held { wire, phone, _ in
            let device = phone.device
            let sync = Task { try await device.cancellable { try await $0.sync(reason: .user) } }
            await wire.reached()
            sync.cancel()
            await #expect(throws: CancellationError.self) { _ = try await sync.value }
            wire.release()
        }
    }

    @Test("a cancelled write is whole or never was")
    func cancelledWrite() async throws {
        try await practice().during { device in
            let writes = (0..<50).map { number in
                Task {
                    let fields = dwelling(nowhere, "\(number)", remarks: "整")
                    return try await device.cancellable { try await $0.createRecord(kind: "dwelling", fields: fields) }
                }
            }
            for (number, write) in writes.enumerated() where number % 2 == 0 { write.cancel() }
            var told: Set<String> = []
            for write in writes {
                if case .success(let home) = await write.result { told.insert(home) }
            }
            #expect(told.count >= 25)
            // What was written goes through one thread in its order: behind a pause nothing is left over.
            try await device.pause()
            try await device.resume()
            let rows = try await device.allDwellings().all()
            #expect(rows.allSatisfy { $0.record.room != nil && $0.record.remarks == "整" })
            #expect(told.isSubset(of: rows.map(\.id)))
        }
    }

    @Test("fifty calls at once")
    func fifty() async throws {
        try await practice().during { device in
            let rooms: [Int: String?] = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let fields = dwelling(nowhere, String(format: "%02d", number))
                        let home = try await device.createRecord(kind: "dwelling", fields: fields)
                        return (number, try await device.getDwelling(id: home)?.record.room)
                    }
                }
                return try await group.reduce(into: [:]) { $0.updateValue($1.1, forKey: $1.0) }
            }
            #expect(rooms.count == 50)
            for (number, room) in rooms { #expect(room == String(format: "%02d", number)) }
        }
    }

    @Test("Chinese and emoji come back as they were")
    func chinese() async throws {
        try await practice().during { device in
            let (name, remarks) = ("欧阳娜娜👩‍👩‍👧‍👦𠮷🏠", "喜欢🌶️，住三楼")
            let fields = ["name": text(name), "remarks": text(remarks)]
            let person = try await device.createRecord(kind: "resident", fields: fields)
            // Swift compares text by its meaning; these are the same bytes.
            let read = try #require(try await device.getResident(id: person)).record.name
            #expect(Array(read.utf8) == Array(name.utf8))
            #expect(try await device.textOf(person, "remarks").map { Array($0.utf8) } == Array(remarks.utf8))
            for asked in ["欧阳", "ouyang"] {
                let found = try await device.everythingFound(asked, kinds: ["resident"]).all()
                #expect(found.map(\.entry.id) == [person], "\(asked)")
            }
        }
    }

    @Test("ten thousand records in pages")
    func tenThousand() async throws {
        let folder = try Town.shared().newFolder()
        let rooms = (0..<10_000).map { String(format: "%05d", $0) }
        try await practice(folder).during { device in
            for start in stride(from: 0, to: rooms.count, by: 1000) {
                let some = rooms[start..<start + 1000]
                let records = some.map { NewRecord(kind: "dwelling", fields: dwelling(nowhere, $0)) }
                _ = try await device.createRecords(records: records)
            }
        }
        let clock = ContinuousClock()
        let began = clock.now
        let device = try await practice(folder)
        let opening = clock.now - began
        try await device.during { device in
            #expect(try await device.allDwellings(page: 500).all().map(\.record.room) == rooms)
            for _ in 0..<100 { _ = try await device.listDwellings(after: nil, limit: 50) }
            var pages: [Duration] = []
            for _ in 0..<100 {
                let began = clock.now
                _ = try await device.listDwellings(after: nil, limit: 50)
                pages.append(clock.now - began)
            }
            let (whole, page) = (milliseconds(opening), milliseconds(pages.sorted()[50]))
            print("figures: cold open of 10,000 records \(whole) ms, a page of 50 rows \(page) ms")
        }
    }

    private func milliseconds(_ duration: Duration) -> String {
        String(format: "%.2f", duration / .milliseconds(1))
    }

    @Test("a stream tells the present state, then changes, and leaves nothing behind")
    func stream() async throws {
        try await practice().during { device in
            let (told, telling) = AsyncStream<[String]>.makeStream()
            let reading = Task {
                for try await page in device.firstRecords(kind: "dwelling", limit: 10) {
                    telling.yield(page.entries.map(\.id))
                }
            }
            var pages = told.makeAsyncIterator()
            #expect(await pages.next() == [])
            let home = try await device.createRecord(kind: "dwelling", fields: dwelling(nowhere, "1"))
            #expect(await pages.next() == [home])
            #expect(device.openObservations() == 1)
            reading.cancel()
            try await reading.value
            #expect(device.openObservations() == 0)
            // Ends by itself after one answer.
            let once = try await device.firstRecords(kind: "dwelling", limit: 10).first()
            #expect(once?.entries.map(\.id) == [home])
            #expect(device.openObservations() == 0)
        }
    }

    /// Keeps what it is told, and fails after that.
    private final class Throwing: Listener {
        let (told, telling) = AsyncStream<Snapshot>.makeStream()

        func changed(snapshot: Snapshot) throws {
            telling.yield(snapshot)
            throw Broken("made up")
        }

        func failed(error: GridwalkError) throws {
            throw error
        }
    }

    @Test("a listener that throws is told of the next change all the same, and is released")
    func listener() async throws {
        try await practice().during { device in
            var listener: Throwing? = Throwing()
            weak var seen = listener
            var told = try #require(listener).told.makeAsyncIterator()
            let query = Query.records(kind: "dwelling", limit: 10)
            let observation = try await device.observe(query: query, listener: try #require(listener))
            _ = await told.next()
            let home = try await device.createRecord(kind: "dwelling", fields: dwelling(nowhere, "1"))
            guard case .records(let page)? = await told.next() else { throw Broken("another answer") }
            #expect(page.entries.map(\.id) == [home])
            await observation.cancelAndWait()
            #expect(observation.isCancelled())
            #expect(device.openObservations() == 0)
            listener = nil
            #expect(seen == nil, "the listener is still held")
        }
    }

    @Test("closing ends a stream, and a failure ends it with its error")
    func closing() async throws {
        let device = try await practice()
        let (told, telling) = AsyncStream<Void>.makeStream()
        let reading = Task {
            for try await _ in device.statuses() { telling.yield() }
        }
        for await _ in told { break }
        try await fails(.invalidInput) {
            _ = try await device.firstRecords(kind: "no_such_kind", limit: 1).first()
        }
        try await device.close()
        try await reading.value
        #expect(device.openObservations() == 0)
    }

    @Test("a device that nobody holds is closed")
    func released() async throws {
        let folder = try Town.shared().newFolder()
        var device: Device? = try await practice(folder)
        weak var seen = device
        #expect(try await device?.conflicts().isEmpty == true)
        device = nil
        #expect(seen == nil, "the device is still held")
    }
}
