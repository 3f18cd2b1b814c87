import Core
import Dialects

extension Command {
    static let purge = Command(
        name: "purge",
        summary: "Drops cached answers: one, a group of them, or all, in every sidecar of the deployment.",
        options: PurgeSelector.allCases.map(\.option) + [.purgeAll, .dryRun, .admin, .json],
        examples: [
            Example(line: "refrain purge --all", sentence: "Everything"),
            Example(
                line: "refrain purge --key 2828d1bcf010709a9df4f0e0c6072ec7ba0864db86afe6342aaf4ac70d68253a",
                sentence: "One answer, by the key that `Cache-Status` and `refrain explain` show"),
            Example(line: "refrain purge --model deepseek-chat --dry-run", sentence: "How many answers a model's are"),
            Example(line: "refrain purge --older-than 24h", sentence: "What is older than a day"),
        ],
        run: { arguments throws(CommandFailure) in
            let body = try await AdminPort(arguments).call(
                "POST", "/api/purge", body: Bytes(try PurgeSelector.request(arguments)))
            if arguments.has(.json) { return try Output.write(json: body.array) }
            let answer = body.withUnsafeBytes { try? JSONValue.parse($0) }
            let count = answer?["purged"]?.integer ?? 0
            let answers = "\(count) answer\(count == 1 ? "" : "s") in this sidecar's memory"
            if arguments.has(.dryRun) {
                return try Output.write("would purge \(answers), and what the lower tiers hold of them\n")
            }
            let others = answer?["shared"] == .bool(true) ? "; the other sidecars were told" : ""
            try Output.write("purged \(answers), and what the lower tiers hold of them\(others)\n")
        })
}

/// What a purge may be about, beside everything.
enum PurgeSelector: String, CaseIterable {
    case key, model, tag, namespace, tenant
    case olderThan = "older-than"

    var option: Command.Option {
        switch self {
        case .key: .init(name: "--key", value: "KEY", sentence: "The answer under this key, 64 hexadecimal digits.")
        case .model: .init(name: "--model", value: "MODEL", sentence: "The answers of a model.")
        case .tag: .init(name: "--tag", value: "TAG", sentence: "Those asked for with this tag in x-refrain-tags.")
        case .namespace: .init(name: "--namespace", value: "NAME", sentence: "Those of an x-refrain-namespace.")
        case .tenant:
            .init(
                name: "--tenant", value: "TENANT",
                sentence: "Those of one tenant, 16 hexadecimal digits as `refrain explain` shows them.")
        case .olderThan: .init(name: "--older-than", value: "AGE", sentence: "Those older than a duration such as 24h.")
        }
    }

    /// The body for the admin port.
    static func request(_ arguments: Arguments) throws(CommandFailure) -> String {
        let named = allCases.compactMap { selector in
            arguments.value(of: selector.option).map { (selector: selector, value: $0) }
        }
        guard named.count + (arguments.has(.purgeAll) ? 1 : 0) == 1 else {
            throw .wrongUse(
                named.isEmpty && !arguments.has(.purgeAll)
                    ? "purge needs to know what; write one of --key, --model, --tag, --namespace, --tenant, "
                        + "--older-than or --all"
                    : "the answers to purge can be named in one way only; write one of the options")
        }
        var writer = JSONWriter()
        writer.beginObject()
        if let (selector, value) = named.first {
            try selector.check(value)
            writer.member(selector == .olderThan ? "olderThan" : selector.rawValue, value)
        } else {
            writer.member("all", true)
        }
        if arguments.has(.dryRun) { writer.member("dryRun", true) }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func check(_ value: String) throws(CommandFailure) {
        switch self {
        case .key where CacheKey(hex: value) == nil:
            throw .wrongUse("--key is not a key; a key has 64 hexadecimal digits, see `refrain explain`")
        case .tenant where PurgeGroup(kind: "tenant", subject: value) == nil:
            throw .wrongUse("--tenant is not a tenant; it has 16 hexadecimal digits, see `refrain explain`")
        case .olderThan where DurationFormat.parse(value) == nil:
            throw .wrongUse("--older-than is not a duration; write a number with a unit, such as 24h")
        default: break
        }
    }
}

extension Command.Option {
    fileprivate static let purgeAll = Command.Option(name: "--all", sentence: "Every answer.")
    fileprivate static let dryRun = Command.Option(
        name: "--dry-run", sentence: "Only count what this sidecar's memory holds of them.")
}
