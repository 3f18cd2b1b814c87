/// How urgent a request is, should it have to wait: the values of `x-refrain-priority`.
package enum Priority: Int, Sendable, CaseIterable, Comparable {
    /// Somebody is looking at it.
    case interactive = 0
    case standard = 1
    /// Nobody waits for it: batches, warming.
    case batch = 2

    package var word: String {
        switch self {
        case .interactive: "interactive"
        case .standard: "standard"
        case .batch: "batch"
        }
    }

    /// The more urgent one is the lesser.
    package static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }
}
