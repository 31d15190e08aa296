import Foundation

/// Another program, started at once; its standard output is read line by line.
final class Program: @unchecked Sendable {
    private let process = Process()
    private let output = Pipe()
    private var unread = Data()

    /// - Parameter log: Takes standard error; without one it is this process's.
    init(_ path: String, _ arguments: [String], log: URL? = nil) throws {
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        if let log {
            try Data().write(to: log)
            process.standardError = try FileHandle(forWritingTo: log)
        }
        try process.run()
    }

    /// The next whole line; nil at the end.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = Data(unread[(end + 1)...]) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            unread.append(more)
        }
    }

    /// All further whole lines, to the end.
    func lines() -> [String] {
        Array(sequence(state: ()) { _ in self.line() })
    }

    /// Ends it without a chance to tidy up.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
    }

    /// Waits for its end, and returns its exit code.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}
