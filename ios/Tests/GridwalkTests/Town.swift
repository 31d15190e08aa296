import Foundation
import Gridwalk
import Testing

/// How often a phone synchronises before a test fails: each attempt is a whole one.
private let tries = 12

private let (street, community, grids) = ("990100001", "990100001001", 40)

/// A grid that no phone has: enough for practice, which sends nothing.
let nowhere = "00000000-0000-7000-8000-000000000001"

/// Something in the surroundings of a test is not as it must be.
struct Broken: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A made-up town: one real server process on a free port of this machine; each test takes a grid of its own.
final class Town: @unchecked Sendable {
    private static let only = Result { try Town() }

    let url: String
    private let folder: URL
    private let server: Program
    private let lock = NSLock()
    private var taken = 0

    static func shared() throws -> Town {
        try only.get()
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("gridwalk-bindings-\(UUID().uuidString)")
        let data = folder.appendingPathComponent("server")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let words = ["serve", "--listen", "127.0.0.1:0", "--name", "虚构区", "--data", data.path]
        server = try Program(Town.program(), words, log: data.appendingPathComponent("server.log"))
        let said = server.line() ?? ""
        guard said.hasPrefix("listening on ") else { throw Broken("the server did not start: \(said)") }
        url = String(said.dropFirst("listening on ".count))
        let areas = folder.appendingPathComponent("areas.geojson")
        try Data(Town.areas().utf8).write(to: areas)
        try command("import", "areas", "--datum", "wgs84", "--data", data.path, areas.path)
        atexit {
            if case .success(let town) = Town.only { town.stop() }
        }
    }

    private func stop() {
        server.kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func program() throws -> String {
        guard let path = ProcessInfo.processInfo.environment["GRIDWALK_SERVER"] else {
            throw Broken("GRIDWALK_SERVER is not set; run `cargo xtask test bindings`")
        }
        return path
    }

    /// Runs one of the server's own commands and returns what it printed.
    @discardableResult
    private func command(_ words: String...) throws -> String {
        let program = try Program(Town.program(), words)
        let said = program.lines().joined(separator: "\n")
        guard program.wait() == 0 else { throw Broken("\(words): \(said)") }
        return said.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private var data: String {
        folder.appendingPathComponent("server").path
    }

    /// Gives a person another role.
    func setRole(_ role: String, of person: String) throws {
        try command("staff", "roles", "--data", data, person, "--role", role)
    }

    func gridworker(_ name: String, grid: String) throws -> String {
        try command("staff", "add", "--data", data, name, "--role", "gridworker", "--area", grid)
    }

    func code(of person: String) throws -> String {
        try command("staff", "code", "--data", data, person)
    }

    /// The code of a grid that no other test uses.
    func newGrid() -> String {
        lock.withLock {
            defer { taken += 1 }
            return Town.gridCode(taken)
        }
    }

    /// A folder for a phone's store.
    func newFolder() throws -> String {
        let phone = folder.appendingPathComponent("phone-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: phone, withIntermediateDirectories: true)
        return phone.appendingPathComponent("store").path
    }

    private static func gridCode(_ number: Int) -> String {
        community + String(format: "%03d", number + 1)
    }

    /// A street, its one community, and the grids of that, side by side.
    private static func areas() -> String {
        func feature(_ level: String, _ code: String, _ name: String, _ parent: String, _ span: Range<Int>) -> String {
            let (west, east) = (120.4 + Double(span.lowerBound) / 1000, 120.4 + Double(span.upperBound) / 1000)
            let ring = "[[\(west),36.1],[\(east),36.1],[\(east),36.11],[\(west),36.11],[\(west),36.1]]"
            return """
                {"type":"Feature","properties":{"level":"\(level)","code":"\(code)","name":"\(name)","parent":"\(parent)"},
                "geometry":{"type":"Polygon","coordinates":[\(ring)]}}
                """
        }
        var features = [
            feature("street", street, "虚构街道", "990100", 0..<grids),
            feature("community", community, "虚构社区", street, 0..<grids),
        ]
        features += (0..<grids).map { feature("grid", gridCode($0), "虚构第\($0 + 1)网格", community, $0..<$0 + 1) }
        return #"{"type":"FeatureCollection","features":["# + features.joined(separator: ",") + "]}"
    }
}

func opened(_ folder: String? = nil, _ platform: Platform = Platform()) async throws -> Device {
    let folder = try folder ?? Town.shared().newFolder()
    return try await Device.open(options: OpenOptions(folder: folder), platform: platform)
}

func practice(_ folder: String? = nil, _ platform: Platform = Platform()) async throws -> Device {
    let folder = try folder ?? Town.shared().newFolder()
    return try await Device.openPractice(options: OpenOptions(folder: folder), platform: platform)
}

/// A gridworker's phone, registered.
final class Phone {
    var device: Device
    let folder: String
    let person: String

    private init(device: Device, folder: String, person: String) {
        (self.device, self.folder, self.person) = (device, folder, person)
    }

    static func enrolled(_ name: String, grid: String, url: String? = nil) async throws -> Phone {
        let town = try Town.shared()
        let (person, folder) = (try town.gridworker(name, grid: grid), try town.newFolder())
        let device = try await opened(folder)
        let code = try town.code(of: person)
        let identity = try await device.enrol(url: url ?? town.url, code: code, label: "\(name)的手机")
        #expect(identity.user == person)
        return Phone(device: device, folder: folder, person: person)
    }

    /// Synchronises until everything is sent and received.
    func settle() async throws {
        var last: SyncOutcome?
        for _ in 0..<tries {
            last = try await device.sync(reason: .user)
            if last?.result == .settled { return }
        }
        throw Broken("not settled: \(String(describing: last))")
    }

    func online(_ there: Bool) async throws {
        try await device.setNetwork(online: there, wifi: there)
    }

    /// The record of a grid by its code.
    func area(_ code: String) async throws -> String {
        let areas = try await device.listAreas(after: nil, limit: 1000).entries
        return try #require(areas.first { $0.record.code == code }).id
    }
}

/// Twice round: what the last one sends, the first one has to fetch.
func settleAll(_ phones: Phone...) async throws {
    for phone in phones + phones { try await phone.settle() }
}

func text(_ value: String) -> FieldValue {
    .text(value: value)
}

/// The fields of a made-up dwelling.
func dwelling(_ area: String, _ room: String, remarks: String? = nil) -> [String: FieldValue] {
    var fields = ["area": .link(record: area), "estate": text("虚构小区"), "building": text("1号楼"), "room": text(room)]
    fields["remarks"] = remarks.map(text)
    return fields
}

extension Device {
    func textOf(_ record: String, _ field: String) async throws -> String? {
        if case .text(let value)? = try await self.record(id: record)?.fields[field] { value } else { nil }
    }
}

extension AsyncSequence {
    /// All elements, to the end.
    func all() async throws -> [Element] {
        var all: [Element] = []
        for try await element in self { all.append(element) }
        return all
    }

    /// The first element; reading ends with it.
    func first() async throws -> Element? {
        try await first { _ in true }
    }
}
