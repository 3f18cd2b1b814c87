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

extension Command {
    static let stats = Command(
        name: "stats",
        summary: "Shows hit rates, latencies, tiers and savings of a running sidecar.",
        options: [.admin, .json],
        examples: [
            Example(line: "refrain stats", sentence: "The sidecar on this machine"),
            Example(line: "refrain stats --json", sentence: "The same for other programs"),
            Example(line: "refrain stats --admin http://10.0.0.7:8401", sentence: "Another one"),
        ],
        run: { arguments throws(CommandFailure) in
            let body = try await AdminPort(arguments).call("GET", "/api/stats")
            if arguments.has(.json) { return try Output.write(json: body.array) }
            let style = TerminalStyle.detect(environment: SettingsSources.environment())
            try Output.write(StatsReport.text(try StatsReport.decode(body.array), style))
        })
}
