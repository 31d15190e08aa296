import Foundation
import Gridwalk
import Testing

/// A gridworker's work over a real server: offline, across kills, beside colleagues.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct WorkTests {
    private func twoPhones(_ test: (Phone, Phone, _ area: String) async throws -> Void) async throws {
        let grid = try Town.shared().newGrid()
        let first = try await Phone.enrolled("甲工", grid: grid)
        let second = try await Phone.enrolled("乙工", grid: grid)
        try await settleAll(first, second)
        try await test(first, second, try await first.area(grid))
        for phone in [first, second] { try await phone.device.close() }
    }

    @Test("enrolment is once, and the phone knows who it is")
    func enrolment() async throws {
        let town = try Town.shared()
        let phone = try await Phone.enrolled("新工", grid: town.newGrid())
        try await phone.device.during { device in
            #expect(try await device.identity()?.user == phone.person)
            try await phone.settle()
            #expect(try await device.getWorker(id: phone.person)?.record.name == "新工")
            let code = try town.code(of: phone.person)
            try await fails(.conflict, "already_enrolled") {
                _ = try await device.enrol(url: town.url, code: code, label: "又一次")
            }
        }
    }

    @Test("work without a network is sent when it is back")
    func offline() async throws {
        try await twoPhones { first, second, area in
            try await first.online(false)
            let home = try await first.device.createRecord(kind: "dwelling", fields: dwelling(area, "501"))
            _ = try await first.device.editRecord(id: home, fields: ["remarks": text("门口有灭火器")])
            let outcome = try await first.device.sync(reason: .user)
            #expect(outcome.result == .notReached)
            #expect(outcome.status.totals.changes.count == 2)
            #expect(try await first.device.record(id: home)?.state.waiting == true)
            try await first.online(true)
            try await settleAll(first, second)
            #expect(try await second.device.textOf(home, "remarks") == "门口有灭火器")
            #expect(try await first.device.record(id: home)?.state.waiting == false)
        }
    }

    @Test("what was written before a kill is there and is sent")
    func killed() async throws {
        try await twoPhones { first, second, area in
            try await first.device.close()
            let shift = Bundle.main.bundleURL.appendingPathComponent("Shift")
            let worker = try Program(shift.path, [first.folder, area])
            var said = (0..<5).compactMap { _ in worker.line() }
            #expect(said.count == 5)
            worker.kill()
            said += worker.lines()
            _ = worker.wait()
            first.device = try await opened(first.folder)
            for home in said {
                #expect(try await first.device.getDwelling(id: home) != nil, "told as durable, and gone")
            }
            try await settleAll(first, second)
            let there = try await second.device.allDwellings().all().map(\.id)
            #expect(Set(said).isSubset(of: there))
        }
    }

    @Test("two phones in conflict agree once somebody chooses")
    func conflict() async throws {
        try await twoPhones { first, second, area in
            let fields = dwelling(area, "101", remarks: "原文")
            let home = try await first.device.createRecord(kind: "dwelling", fields: fields)
            try await settleAll(first, second)
            for (phone, words) in [(first, "甲写的"), (second, "乙写的")] {
                try await phone.online(false)
                _ = try await phone.device.editRecord(id: home, fields: ["remarks": text(words)])
            }
            for phone in [first, second] { try await phone.online(true) }
            try await settleAll(first, second)
            let key = TrayKey.conflict(record: home, field: "remarks")
            for phone in [first, second] {
                let conflicts = try await phone.device.conflicts()
                #expect(conflicts.map { [$0.record, $0.kind, $0.field] } == [[home, "dwelling", "remarks"]])
                let words = conflicts.flatMap(\.candidates).map { [$0.author: $0.value] }
                #expect(Set(words) == [["甲工": text("甲写的")], ["乙工": text("乙写的")]])
                #expect(try await phone.device.tray().map(\.key) == [key])
            }
            let values = try await second.device.tray().flatMap(\.values)
            let chosen = try #require(values.first { $0.text.zh == "甲写的" }).value
            _ = try await second.device.settle(key: key, how: .choose(chosen))
            try await settleAll(second, first)
            for phone in [first, second] {
                #expect(try await phone.device.conflicts().isEmpty)
                #expect(try await phone.device.textOf(home, "remarks") == "甲写的")
            }
        }
    }

    @Test("a refused report is in the tray and is accepted when sent again")
    func refused() async throws {
        try await twoPhones { first, second, area in
            try await first.online(false)
            // The office makes this person a handler; their phone works on as a gridworker's.
            try Town.shared().setRole("handler", of: first.person)
            let report = ReportDraft(area: area, address: "虚构路2号", noPhotoReason: "虚构：没有相机")
            let draft = try await first.device.beginReport(report: report)
            _ = try await first.device.chooseCategory(draft: draft, category: "litter")
            let sent = try await first.device.sendReport(draft: draft)
            try await first.online(true)
            for _ in 0..<2 { _ = try await first.device.sync(reason: .user) }
            let items = try await first.device.tray().filter { $0.record == sent.event }
            #expect(items.map(\.key) == [.newRefused(record: sent.event)])
            let item = try #require(items.first)
            #expect(item.acts.contains(.writeAgain))
            let refused = Set(try await first.device.refusedEdits().map { [$0.record, $0.reason] })
            #expect(refused == [[sent.event, "forbidden"]])
            // The mistake is put right, and the worker sends the report again.
            try Town.shared().setRole("gridworker", of: first.person)
            try await settleAll(first)
            _ = try await first.device.settle(key: item.key, how: .sendAgain([:]))
            try await settleAll(first, second)
            #expect(try await first.device.refusedEdits().isEmpty)
            let events = try await second.device.listEvents(after: nil, limit: 1000).entries
            #expect(events.map(\.record.number) == [sent.number])
        }
    }

    @Test("a photo goes up and its receipt comes back")
    func photo() async throws {
        try await twoPhones { first, second, area in
            let fields = ["area": .link(record: area), "category": text("litter"), "address": text("虚构路1号")]
            let event = try await first.device.createRecord(kind: "event", fields: fields)
            try await first.online(false)
            let facts = CaptureFacts(
                role: "scene", source: "camera", at: 1_790_000_000_000, utcOffsetMinutes: 480, workerCode: "W01",
                record: event
            )
            let element = try await first.device.addPhoto(record: event, original: picture(1), facts: facts, font: nil)
            let waiting = try await first.device.status().totals
            #expect([waiting.photos.count, waiting.previews.count] == [1, 1])
            try await first.online(true)
            try await settleAll(first, second)
            let totals = try await first.device.status().totals
            #expect([totals.photos.count, totals.previews.count] == [0, 0], "the server's receipt is here")
            let photos = try await second.device.photos(record: event)
            #expect(photos.map(\.element) == [element])
            let photo = try #require(photos.first).photo
            let stored = try #require(try await second.device.photo(record: event, hash: photo.hash))
            #expect(UInt64(stored.count) == photo.bytes)
            #expect(try await first.device.photo(record: event, hash: photo.hash) == stored)
        }
    }
}
