import Foundation
import GridwalkCore

extension Device {
    /// Waits for a call until it is done or the task is cancelled, whichever comes first.
    ///
    /// Cancelling drops the waiting only: a call that has begun goes on to its end, so that a write is finished or was
    /// never begun. Calls made without this are waited for to their end even when the task is cancelled.
    ///
    ///     let outcome = try await device.cancellable { try await $0.sync(reason: .user) }
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled; else what the call throws.
    public func cancellable<Value: Sendable>(
        _ call: @escaping @Sendable (Device) async throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let waiting = Waiter<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting.begin(continuation)
                Task {
                    do {
                        waiting.end(.success(try await call(self)))
                    } catch {
                        waiting.end(.failure(error))
                    }
                }
            }
        } onCancel: {
            waiting.end(.failure(CancellationError()))
        }
    }
}

/// Goes on with what comes first, once.
private final class Waiter<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var continuation: CheckedContinuation<Value, any Error>?
    private var outcome: Result<Value, any Error>?

    func begin(_ continuation: CheckedContinuation<Value, any Error>) {
        let early = lock.withLock { () -> Result<Value, any Error>? in
            if outcome == nil { self.continuation = continuation }
            return outcome
        }
        if let early { continuation.resume(with: early) }
    }

    func end(_ outcome: Result<Value, any Error>) {
        let waiting = lock.withLock { () -> CheckedContinuation<Value, any Error>? in
            if self.outcome == nil { self.outcome = outcome }
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(with: outcome)
    }
}
