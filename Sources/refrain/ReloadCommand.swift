import Core
import Dialects

extension Command {
    static let reload = Command(
        name: "reload",
        summary: "Has a running sidecar read its settings anew, without dropping a request.",
        options: [.admin, .json],
        examples: [
            Example(line: "refrain reload", sentence: "After a change to the settings file"),
            Example(line: "refrain reload --json", sentence: "What changed, for other programs"),
        ],
        run: { arguments throws(CommandFailure) in
            let body = try await AdminPort(arguments).call("POST", "/api/reload")
            if arguments.has(.json) { return try Output.write(json: body.array) }
            let answer = body.withUnsafeBytes { try? JSONValue.parse($0) }
            func names(_ member: String) -> [String] {
                guard case .array(let items)? = answer?[member] else { return [] }
                return items.compactMap(\.text)
            }
            let (changed, needsRestart) = (names("changed"), names("needsRestart"))
            try Output.write(
                changed.isEmpty
                    ? "reloaded; nothing that can take effect now has changed\n"
                    : "reloaded: \(changed.joined(separator: ", "))\n")
            if !needsRestart.isEmpty {
                try Output.write("takes effect with the next start: \(needsRestart.joined(separator: ", "))\n")
            }
        })
}
