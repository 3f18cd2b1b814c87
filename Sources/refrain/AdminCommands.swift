import Core
import Dialects
import Foreign

/// The admin port of a running sidecar, as commands see it.
struct AdminPort {
    let url: UpstreamURL
    private let token: String

    /// Found by `--admin`, `REFRAIN_ADMIN` or the default; the token comes from `REFRAIN_ADMIN_TOKEN`.
    init(_ arguments: Arguments) throws(CommandFailure) {
        let environment = SettingsSources.environment()
        url = try Sidecar.admin(arguments, environment: environment)
        token = environment.first { $0.name == "REFRAIN_ADMIN_TOKEN" }?.value ?? ""
    }

    /// The body of a 200 answer; everything else is a failure that says what to do.
    func call(
        _ method: String, _ target: String, headers: [HeaderField] = [], body: Bytes? = nil
    ) async throws(CommandFailure) -> Bytes {
        var headers = headers
        if !token.isEmpty { headers.append(HeaderField("Authorization", "Bearer " + token)) }
        let request = UpstreamRequest(
            method: method, target: target, headers: headers, body: body.map { .bytes($0) } ?? .none, decodes: false)
        let answer: AnswerClient.Answer
        do throws(UpstreamFailure) {
            answer = try await OneShot.fetch(request, from: url, timeout: .seconds(30))
        } catch {
            // Most messages begin with the URL.
            let place = error.message.hasPrefix("\(url)") ? "" : "\(url): "
            throw .failed(
                "no sidecar answers at \(place)\(error.message); start one with `refrain serve`, or name its admin port "
                    + "with --admin")
        }
        guard answer.head.status == 200 else { throw .failed(explain(answer)) }
        return answer.body
    }

    private func explain(_ answer: AnswerClient.Answer) -> String {
        if answer.head.status == 401 {
            return "\(url) wants its admin token; put it into REFRAIN_ADMIN_TOKEN"
        }
        if answer.head.status == 404 { return "\(url) is not the admin port of a sidecar; name that with --admin" }
        let message = answer.body.withUnsafeBytes { try? JSONValue.parse($0) }?["error"]?["message"]?.text
        return "\(url) answered \(answer.head.status)" + (message.map { ": \($0)" } ?? "")
    }
}

extension AdminPort {
    func stats() async throws(CommandFailure) -> StatsSnapshot {
        try StatsReport.decode(try await call("GET", "/api/stats").array)
    }

    func busiestKeys(_ count: Int) async throws(CommandFailure) -> [BusyKey] {
        try BusyKey.decode(try await call("GET", "/api/keys?top=\(count)").array)
    }
}

extension Command {
    static let stats = Command(
        name: "stats",
        summary: "Shows hit rates, latencies, tiers and savings of a running sidecar.",
        options: [.watch, .every, .admin, .json],
        examples: [
            Example(line: "refrain stats", sentence: "The sidecar on this machine"),
            Example(line: "refrain stats --watch --every 5s", sentence: "Again and again, until Ctrl-C"),
            Example(line: "refrain stats --json", sentence: "The same for other programs"),
            Example(line: "refrain stats --admin http://10.0.0.7:8401", sentence: "Another one"),
        ],
        run: { arguments throws(CommandFailure) in
            let port = try AdminPort(arguments)
            let interval = try arguments.interval()
            let style = TerminalStyle.detect(environment: SettingsSources.environment())
            repeat {
                let body = try await port.call("GET", "/api/stats")
                if arguments.has(.json) {
                    try Output.write(json: body.array)
                } else {
                    let text = StatsReport.text(try StatsReport.decode(body.array), style)
                    let isRedrawn = arguments.has(.watch) && Console.isTerminal(.output)
                    try Output.write(
                        (isRedrawn ? TerminalStyle.clear : "") + text + (arguments.has(.watch) ? "\n" : ""))
                }
                // A command is not cancelled: it ends with its process.
                if arguments.has(.watch) { try? await Task.sleep(for: interval) }
            } while arguments.has(.watch)
        })

    static let keys = Command(
        name: "keys",
        summary: "Lists the busiest keys of a running sidecar, and what its memory holds under them.",
        options: [.top, .admin, .json],
        examples: [
            Example(line: "refrain keys", sentence: "The twenty busiest"),
            Example(line: "refrain keys --top 100 --json", sentence: "A hundred, for other programs"),
        ],
        run: { arguments throws(CommandFailure) in
            let count = try arguments.topCount()
            if arguments.has(.json) {
                return try Output.write(
                    json: try await AdminPort(arguments).call("GET", "/api/keys?top=\(count)").array)
            }
            let keys = try await AdminPort(arguments).busiestKeys(count)
            let style = TerminalStyle.detect(environment: SettingsSources.environment())
            try Output.write(keys.isEmpty ? "no keys yet\n" : BusyKey.table(keys).text(style))
        })
}

extension Command.Option {
    static let watch = Command.Option(name: "--watch", sentence: "Show it again and again.")
    static let every = Command.Option(
        name: "--every", value: "DURATION", sentence: "How long to wait in between; else 2s.")
    static let top = Command.Option(name: "--top", value: "N", sentence: "How many; else 20.")
}

extension Arguments {
    /// The value of `--every`.
    func interval() throws(CommandFailure) -> Duration {
        guard let text = value(of: .every) else { return .seconds(2) }
        guard let interval = DurationFormat.parse(text), interval >= .milliseconds(100), interval <= .seconds(3600)
        else { throw .wrongUse("--every is not a duration from 100ms to 1h; write one such as 5s") }
        return interval
    }

    /// The value of `--top`.
    func topCount() throws(CommandFailure) -> Int {
        guard let text = value(of: .top) else { return 20 }
        guard let number = Int(text), (1...1_000).contains(number) else {
            throw .wrongUse("--top is not a number from 1 to 1000; write one such as 20")
        }
        return number
    }
}
