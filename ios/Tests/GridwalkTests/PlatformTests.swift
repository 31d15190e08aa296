import Foundation
import Gridwalk
import Testing

/// A key store that works until its finger is hurt.
private final class Keys: KeyStore, @unchecked Sendable {
    private let lock = NSLock()
    private var hurt = false

    var isHurt: Bool {
        get { lock.withLock { hurt } }
        set { lock.withLock { hurt = newValue } }
    }

    func wrap(key: Data) async throws -> Data {
        Data(key.reversed())
    }

    func unwrap(wrapped: Data) async throws -> Data {
        if isHurt { throw Broken("no finger") }
        return Data(wrapped.reversed())
    }

    func delete() async throws {
        throw Broken("kept")
    }
}

/// A key that cannot sign.
private final class BrokenKey: DeviceKey {
    func publicKey() throws -> Data {
        throw PlatformError.Failed(reason: "no enclave")
    }

    func sign(message: Data) throws -> Data {
        throw PlatformError.Failed(reason: "no enclave")
    }
}

private final class BrokenClock: Gridwalk.Clock {
    func now() throws -> Timestamp {
        throw Broken("made up")
    }
}

/// What the shell provides, when it fails.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct PlatformTests {
    @Test("a key store that throws fails the call and nothing else")
    func keyStore() async throws {
        let (keys, folder) = (Keys(), try Town.shared().newFolder())
        let platform = Platform(keyStore: keys)
        try await opened(folder, platform).close()
        keys.isHurt = true
        let error = try await fails(.platform, "platform.key_store") { _ = try await opened(folder, platform) }
        guard case .Platform(_, let reason) = error else { throw Broken("\(error)") }
        #expect(reason.contains("no finger"))
        keys.isHurt = false
        try await opened(folder, platform).during { device in
            keys.isHurt = true
            try await device.lock()
            try await fails(.platform) { try await device.unlock(keyStore: keys) }
            #expect(try await device.isLocked())
            keys.isHurt = false
            try await device.unlock(keyStore: keys)
            #expect(try await device.conflicts().isEmpty)
        }
    }

    @Test("a device key that throws fails the enrolment")
    func deviceKey() async throws {
        let town = try Town.shared()
        let person = try town.gridworker("无钥", grid: town.newGrid())
        let code = try town.code(of: person)
        try await opened(nil, Platform(deviceKey: BrokenKey())).during { device in
            try await fails(.platform) { _ = try await device.enrol(url: town.url, code: code, label: "无钥的手机") }
        }
    }

    @Test("a clock that throws is replaced by the system's")
    func clock() async throws {
        try await practice(nil, Platform(clock: BrokenClock())).during { device in
            let now = Timestamp(Date().timeIntervalSince1970 * 1000)
            #expect(abs(device.now() - now) < 60_000)
        }
    }
}
