import Core
import Dialects
import Synchronization
import TestKit

/// A model server in virtual time that answers, fails and dawdles as a seed says, and remembers what it sent.
final class SimulatedModel: Sendable {
    /// What one call was told.
    struct Record: Sendable {
        var number: Int
        var tenant: String
        var prompt: String
        var status = 200
        /// Every way in which the complete answer may be told, without keep-alives; empty if it broke off.
        var tellings: Set<String> = []
        /// What was sent before it broke off, without keep-alives.
        var fragment: String?
        /// It ended before its head.
        var failed = false
    }

    private struct State {
        var random: SeededRandom
        var records: [Record] = []
    }

    private let state: Mutex<State>
    private let timers: ManualScheduler

    init(seed: UInt64, timers: ManualScheduler) {
        state = Mutex(State(random: SeededRandom(seed: seed)))
        self.timers = timers
    }

    func records(_ tenant: String, _ prompt: String) -> [Record] {
        state.withLock { $0.records.filter { $0.tenant == tenant && $0.prompt == prompt } }
    }

    /// Nobody answers in a shorter time than the call takes to start, so every step is on a timer.
    func take(_ call: FakeCall) {
        guard case .bytes(let body) = call.request.body else { return call.fail(.malformed) }
        let text = body.text
        let tenant = call.request.headers.first(named: "authorization") ?? ""
        let prompt = text.split(separator: "\"").first { $0.hasPrefix("prompt-") }.map(String.init) ?? ""
        let steps = state.withLock { state in
            var script = Script(
                record: Record(number: call.number, tenant: tenant, prompt: prompt),
                asked: text.contains("\"stream\":true") ? .stream : .whole, random: state.random)
            script.write()
            state.random = script.random
            state.records.append(script.record)
            return script.steps
        }
        play(steps[...], call)
    }

    private func play(_ steps: ArraySlice<(delay: Int64, step: FakeCall.Step)>, _ call: FakeCall) {
        guard let first = steps.first, !call.hasEnded else { return }
        _ = timers.schedule(after: first.delay) { [self] in
            call.play(first.step)
            play(steps.dropFirst(), call)
        }
    }

    /// Draws the course of one call.
    private struct Script {
        var record: Record
        let asked: Form
        var random: SeededRandom
        var steps: [(delay: Int64, step: FakeCall.Step)] = []

        mutating func write() {
            let words = (0..<Int.random(in: 1...12, using: &random)).map { "w\($0) " }
            // No two calls give the same answer, so that a client's tells which call it came from.
            let texts = ["call \(record.number) for \(record.tenant) on \(record.prompt): "] + words
            let form = chance(0.9) ? asked : asked == .stream ? .whole : .stream
            switch Int.random(in: 0..<20, using: &random) {
            case 0, 1: fail(.connect)
            case 2: error(429)
            case 3: error([400, 401, 500, 503].randomElement(using: &random) ?? 500)
            case 4: respond(form, odd(form, texts), isKept: false, breaks: false)
            case 5, 6: respond(form, proper(form, texts), isKept: true, breaks: true)
            case 7: respond(form, proper(form, texts), isKept: true, breaks: false, header: "no-store")
            default: respond(form, proper(form, texts), isKept: true, breaks: false)
            }
        }

        private mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

        private mutating func add(_ step: FakeCall.Step) {
            let milliseconds =
                chance(0.05) ? Int64.random(in: 0...40_000, using: &random) : .random(in: 0...300, using: &random)
            steps.append((milliseconds * Duration64.nanosecondsPerMillisecond, step))
        }

        private mutating func fail(_ kind: UpstreamFailure.Kind) {
            record.failed = true
            add(.end(.failed(UpstreamFailure(kind, "as drawn"))))
        }

        private mutating func error(_ status: Int) {
            record.status = status
            record.tellings = [#"{"error":{"code":\#(record.number)}}"#]
            head(.whole, status)
            for text in record.tellings { add(.bytes(Array(text.utf8))) }
            add(.end(.complete))
        }

        private mutating func head(_ form: Form, _ status: Int, _ control: String? = nil) {
            let headers = [HeaderField("content-type", form.contentType)]
            add(
                .head(
                    UpstreamHead(
                        status: status, headers: headers + (control.map { [HeaderField("cache-control", $0)] } ?? []))))
        }

        private func proper(_ form: Form, _ texts: [String]) -> [String] {
            form == .whole ? [ModelAnswer.whole(.chat, texts.joined())] : ModelAnswer.events(.chat, texts)
        }

        /// An answer that must not be kept, and must be passed on as it is.
        private mutating func odd(_ form: Form, _ texts: [String]) -> [String] {
            let isFiltered = chance(0.5)
            if form == .whole {
                let whole = ModelAnswer.whole(.chat, texts.joined(), finish: "content_filter")
                return [isFiltered ? whole : String(whole.dropLast(3))]
            }
            let events = ModelAnswer.events(
                .chat, texts, finish: isFiltered ? "content_filter" : "stop", reportsUsage: false)
            return isFiltered ? events : Array(events.dropLast(3)) + ["data: {\"half"]
        }

        private mutating func respond(
            _ form: Form, _ pieces: [String], isKept: Bool, breaks: Bool, header: String? = nil
        ) {
            let usage = isKept && form == .stream ? pieces.count - 2 : nil
            let complete = pieces.joined()
            head(form, 200, header)
            let sent = breaks ? Int.random(in: 0..<complete.utf8.count, using: &random) : complete.utf8.count
            deliver(form, pieces, upTo: sent)
            if breaks {
                record.fragment = String(decoding: complete.utf8.prefix(sent), as: UTF8.self)
                add(.end(.failed(UpstreamFailure(.reset, "as drawn"))))
            } else {
                let lean = usage.map { index in (pieces[..<index] + pieces[(index + 1)...]).joined() }
                record.tellings = Set([complete, lean].compactMap { $0 })
                if isKept { record.tellings.formUnion(SimulatedModel.conversions(of: complete, form)) }
                add(.end(.complete))
            }
        }

        /// Cut anywhere, with keep-alives where the protocol allows them.
        private mutating func deliver(_ form: Form, _ pieces: [String], upTo limit: Int) {
            var left = limit
            if form == .whole, chance(0.2) { add(.bytes([10, 10])) }
            for piece in pieces where left > 0 {
                if form == .stream, chance(0.1) { add(.bytes(Array(SimulatedModel.keepAlive.utf8))) }
                var bytes = Array(piece.utf8.prefix(left))[...]
                left -= bytes.count
                while !bytes.isEmpty {
                    let count = chance(0.7) ? bytes.count : Int.random(in: 1...bytes.count, using: &random)
                    add(.bytes(Array(bytes.prefix(count))))
                    bytes = bytes.dropFirst(count)
                }
            }
        }
    }

    static let keepAlive = ": keep-alive\n\n"

    private static func conversions(of complete: String, _ form: Form) -> Set<String> {
        Bytes(complete).withUnsafeBytes { bytes in
            do {
                if form == .stream { return [try wholeFromStream(bytes, dialect: .chat).text] }
                let rendition = try streamFromWhole(bytes, dialect: .chat)
                let all = rendition.bytes.array
                let lean = all[..<rendition.usageStart] + all[rendition.usageEnd...]
                return [rendition.bytes.text, String(decoding: lean, as: UTF8.self)]
            } catch {
                return []
            }
        }
    }
}
