import Core
import Synchronization
import TestKit

@testable import Engine

/// The requests of simulations.
enum SimulatedCalls {
    /// What was admitted before in any run is not digested again: digests in plain Swift take most of the time.
    private static let admitted = Mutex<[String: Engine.Call]>([:])

    static func admit(_ body: String, _ headers: [(String, String)], _ rig: EngineRig) -> Engine.Call? {
        let name = body + headers.map { $0.0 + $0.1 }.joined()
        if let call = admitted.withLock({ $0[name] }) { return call }
        guard let call = try? rig.admit(body, headers: headers) else { return nil }
        admitted.withLock { $0[name] = call }
        return call
    }
}

/// What clients are told of the answers of a simulated model.
extension SimulatedModel {
    /// Without what only keeps the connection alive.
    static func stripped(_ body: String) -> String {
        let lines = body.drop { $0 == "\n" }
        return lines.components(around: keepAlive)
    }

    /// Of a fragment clients see whole events only, and usage only if they asked for it.
    static func isBeginning(_ body: String, of fragment: String) -> Bool {
        if fragment.hasPrefix(body) { return true }
        let events = fragment.split(omittingEmptySubsequences: true) { $0 == "\n" }.filter { !$0.contains("\"usage\"") }
        return events.map { $0 + "\n\n" }.joined().hasPrefix(body)
    }
}

extension Substring {
    /// What is left when every occurrence of `text` is cut out.
    fileprivate func components(around text: String) -> String {
        var rest = utf8[...]
        var kept: [UInt8] = []
        while !rest.isEmpty {
            if rest.starts(with: text.utf8) {
                rest = rest.dropFirst(text.utf8.count)
            } else {
                kept.append(rest[rest.startIndex])
                rest = rest.dropFirst()
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
