import Core
import Synchronization

/// Whoever asked an upstream, and what it was told, as words in order: `head 200 one`, `body …`, `end complete`.
package final class RecordingSink: UpstreamSink {
    private struct State {
        var words: [String] = []
        var ends = 0
        var demands: [SinkDemand] = []
        var failure: UpstreamFailure?
    }

    private let state = Mutex(State())

    /// - Parameter demands: what the first pieces of the body are answered with; further ones get `.more`.
    package init(demands: [SinkDemand] = []) { state.withLock { $0.demands = demands } }

    package var words: [String] { state.withLock { $0.words } }
    package var failure: UpstreamFailure? { state.withLock { $0.failure } }
    /// How often the end was told: once, in the end.
    package var ends: Int { state.withLock { $0.ends } }

    package func responded(_ head: UpstreamHead) {
        state.withLock { $0.words.append("head \(head.status) \(head.upstream)") }
    }

    package func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        state.withLock { state in
            let demand = state.demands.isEmpty ? .more : state.demands.removeFirst()
            if case .more = demand { state.words.append("body " + bytes.text) }
            return demand
        }
    }

    package func finished(_ end: UpstreamEnd) {
        state.withLock { state in
            state.ends += 1
            switch end {
            case .complete: state.words.append("end complete")
            case .failed(let failure):
                state.failure = failure
                state.words.append("end " + (failure.shed?.word ?? failure.kind.rawValue))
            }
        }
    }
}
