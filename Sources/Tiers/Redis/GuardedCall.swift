import Core

extension SharedBreaker {
    /// Makes a call of a store, whose outages alone count against it; nil where it is not to be made.
    func call<Result>(
        _ body: () async throws(KeyValueFailure) -> Result
    ) async throws(KeyValueFailure) -> Result? {
        guard let permit = admit() else { return nil }
        do throws(KeyValueFailure) {
            let result = try await body()
            succeeded(permit)
            return result
        } catch {
            if error.isOutage { failed(permit, reason: error.word) } else { succeeded(permit) }
            throw error
        }
    }
}
