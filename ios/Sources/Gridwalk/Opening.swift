import GridwalkCore

extension Device {
    /// Works with the device and closes it in the end, also after an error or a cancellation.
    ///
    /// - Parameter work: Gets this device; it must not be used after `work` has returned.
    /// - Returns: What `work` returned.
    /// - Throws: What `work` throws; else what closing throws.
    @discardableResult
    public func during<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ work: (_ device: Device) async throws -> Value
    ) async throws -> Value {
        let value: Value
        do {
            value = try await work(self)
        } catch {
            // The first failure is the one to be told.
            try? await close()
            throw error
        }
        try await close()
        return value
    }
}
