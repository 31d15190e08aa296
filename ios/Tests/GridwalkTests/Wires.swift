import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#else
    import Darwin
    private let stream = SOCK_STREAM
#endif

/// A socket on this machine's loopback.
private struct Socket: Sendable {
    let number: Int32

    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// Calls `use` with an address as the C functions want it.
    private static func with(_ port: UInt16, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool {
        var address = address(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { use($0, size) == 0 }
        }
    }

    static func listening() throws -> (socket: Socket, port: UInt16) {
        let bound = try reserved()
        guard listen(bound.socket.number, 50) == 0 else { throw Broken("listen: \(errno)") }
        return bound
    }

    /// A port that nobody listens on, as long as the socket is open.
    static func reserved() throws -> (socket: Socket, port: UInt16) {
        let number = socket(AF_INET, stream, 0)
        guard with(0, { bind(number, $0, $1) }) else { throw Broken("bind: \(errno)") }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let told = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) == 0 }
        }
        guard told else { throw Broken("getsockname: \(errno)") }
        return (Socket(number: number), UInt16(bigEndian: address.sin_port))
    }

    static func connected(_ port: UInt16) -> Socket? {
        let number = socket(AF_INET, stream, 0)
        guard with(port, { connect(number, $0, $1) }) else {
            close(number)
            return nil
        }
        return Socket(number: number)
    }

    /// Waits for a caller; nil once it is shut.
    func accepted() -> Socket? {
        let caller = accept(number, nil, nil)
        return caller < 0 ? nil : Socket(number: caller)
    }

    /// What has come; nil at the end.
    func received() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(number, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    func sent(_ bytes: [UInt8]) -> Bool {
        var from = 0
        while from < bytes.count {
            let count = bytes[from...].withUnsafeBytes { send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            from += count
        }
        return true
    }

    /// Ends both directions: whoever waits for it goes on.
    func shut() {
        shutdown(number, Int32(SHUT_RDWR))
    }

    func endSending() {
        shutdown(number, Int32(SHUT_WR))
    }

    func release() {
        close(number)
    }
}

/// A port of this machine where nobody listens, while `call` runs.
func nobodysPort<Value>(_ call: (String) async throws -> Value) async throws -> Value {
    let (socket, port) = try Socket.reserved()
    defer { socket.release() }
    return try await call("http://127.0.0.1:\(port)")
}

/// Passes bytes on to a server; while it is held, what a phone sends goes nowhere.
final class Wire: @unchecked Sendable {
    let url: String
    private let target: UInt16
    private let door: Socket
    private let gate = NSCondition()
    private var isHeld = false
    private var isClosed = false
    private var sockets: [Socket] = []
    private let (arrivals, arrival) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    init(to server: String) throws {
        guard let port = URL(string: server)?.port else { throw Broken("no port in \(server)") }
        target = UInt16(port)
        let (door, own) = try Socket.listening()
        self.door = door
        url = "http://127.0.0.1:\(own)"
        Thread { [self] in while let phone = door.accepted() { serve(phone) } }.start()
    }

    /// From now on nothing passes.
    func hold() {
        gate.withLock { isHeld = true }
    }

    /// Returns when a phone has sent something since the wire was held.
    func reached() async {
        for await _ in arrivals { return }
    }

    func release() {
        gate.withLock {
            isHeld = false
            gate.broadcast()
        }
    }

    func close() {
        gate.withLock {
            (isHeld, isClosed) = (false, true)
            gate.broadcast()
            sockets.forEach { $0.shut() }
        }
        door.shut()
    }

    private func serve(_ phone: Socket) {
        guard let server = Socket.connected(target) else { return phone.shut() }
        gate.withLock {
            sockets += [phone, server]
            if isClosed { sockets.forEach { $0.shut() } }
        }
        Thread { [self] in pass(from: phone, to: server, isOutward: true) }.start()
        Thread { [self] in pass(from: server, to: phone, isOutward: false) }.start()
    }

    private func pass(from: Socket, to: Socket, isOutward: Bool) {
        while let bytes = from.received() {
            gate.withLock {
                if isHeld && isOutward { arrival.yield() }
                while isHeld { gate.wait() }
            }
            if !to.sent(bytes) { break }
        }
        to.endSending()
    }
}

/// A server that answers every request with one error of `schemas/sync.cddl`.
final class Refusing: Sendable {
    let url: String
    private let door: Socket
    private let answer: [UInt8]

    init(_ status: Int, _ cbor: [UInt8]) throws {
        let (door, port) = try Socket.listening()
        let body = Refusing.framed(cbor)
        let head = "HTTP/1.1 \(status) Refused\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        (self.door, url, answer) = (door, "http://127.0.0.1:\(port)", Array(head.utf8) + body)
        Thread { [self] in
            while let phone = self.door.accepted() {
                serve(phone)
                phone.release()
            }
        }
        .start()
    }

    func close() {
        door.shut()
    }

    private func serve(_ phone: Socket) {
        var request = Data()
        while !Refusing.isWhole(request), let bytes = phone.received() { request.append(contentsOf: bytes) }
        _ = phone.sent(answer)
    }

    private static func isWhole(_ request: Data) -> Bool {
        guard let end = request.range(of: Data("\r\n\r\n".utf8)) else { return false }
        let head = String(decoding: request[..<end.lowerBound], as: UTF8.self).lowercased()
        let lines = head.components(separatedBy: "\r\n")
        guard let length = lines.first(where: { $0.hasPrefix("content-length:") })?.split(separator: ":").last else {
            return request.suffix(5) == Data("0\r\n\r\n".utf8)
        }
        return request.distance(from: end.upperBound, to: request.endIndex)
            >= Int(length.trimmingCharacters(in: .whitespaces)) ?? 0
    }

    /// CBOR as the protocol frames it: one zstd frame, here with a single block that is not compressed.
    private static func framed(_ cbor: [UInt8]) -> [UInt8] {
        let block = cbor.count << 3 | 1
        return [0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(cbor.count), UInt8(block & 255), UInt8(block >> 8), 0] + cbor
    }
}
