import Core
import Engine

/// A request that is being answered, as the dashboard shows it: nothing of what was asked.
package struct LiveRequest: Sendable {
    let endpoint: Endpoint
    /// Empty where the request may not be cached.
    let model: String
    let key: CacheKey?
    let tenant: UInt64?
    /// On the clock that durations are taken from, in nanoseconds.
    let started: Int64

    init(_ sheet: RequestFactsheet) {
        endpoint = Endpoint(sheet.dialect)
        model = sheet.model.shown
        key = sheet.admitted?.key
        tenant = sheet.admitted?.tenant.word0
        started = sheet.started
    }

    /// More than these are only counted.
    static let most = 100

    /// The longest under way first; `now` on the clock of `started`.
    static func json(_ requests: [LiveRequest], now: Int64) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("count", requests.count)
        writer.name("requests")
        writer.beginArray()
        for request in requests.sorted(by: { $0.started < $1.started }).prefix(most) {
            writer.beginObject()
            writer.member("endpoint", request.endpoint.labelWord)
            writer.member("model", request.model)
            if let key = request.key { writer.member("key", key.hex) }
            if let tenant = request.tenant { writer.member("tenant", PurgeGroup.hex(of: tenant)) }
            writer.member("seconds", Double((now - request.started) / 1000) / 1e6)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
