import Core
import Dialects
import Foreign

extension Command {
    static let explain = Command(
        name: "explain",
        summary: "Says how a request would be looked up: its canonical form, its key, where it is held, or why not.",
        positionals: [
            Positional(name: "FILE", sentence: "The request body; - reads standard input.", isRequired: true)
        ],
        options: [.endpoint, .header, .admin, .json],
        examples: [
            Example(line: "refrain explain request.json", sentence: "A chat request, with the key of OPENAI_API_KEY"),
            Example(
                line: "refrain explain --endpoint /v1/messages --header 'x-api-key: …' request.json",
                sentence: "A request to another endpoint, with its headers"),
            Example(
                line: "echo '{\"model\":\"m\",\"messages\":[]}' | refrain explain - --json",
                sentence: "From a pipe, for other programs"),
        ],
        run: { arguments throws(CommandFailure) in
            let body: [UInt8]
            do throws(InputFile.Unreadable) {
                body = try InputFile.read(arguments.positionals[0], limit: Explain.limit)
            } catch {
                throw .failed(error.description)
            }
            let target = "/api/explain?path=" + percentEncoded(arguments.value(of: .endpoint) ?? Dialect.chat.path)
            let answer = try await AdminPort(arguments).call(
                "POST", target, headers: try Explain.headers(arguments), body: Bytes(body))
            if arguments.has(.json) { return try Output.write(json: answer.array) }
            try Output.write(try Explain.text(answer))
        })
}

extension Command.Option {
    fileprivate static let endpoint = Command.Option(
        name: "--endpoint", value: "PATH", sentence: "Where it would be sent; else \(Dialect.chat.path).")
    fileprivate static let header = Command.Option(
        name: "--header", value: "'NAME: VALUE'", sentence: "A header it would carry; may be repeated.",
        mayRepeat: true)
}

private enum Explain {
    static let limit = 64 << 20

    /// The explained request's headers, under the prefix that tells them from the command's own.
    static func headers(_ arguments: Arguments) throws(CommandFailure) -> [HeaderField] {
        var fields: [HeaderField] = []
        for line in arguments.values(of: .header) {
            let colon = line.firstIndex(of: ":") ?? line.startIndex
            let name = line[..<colon]
            let value = line[colon...].dropFirst().drop { $0 == " " }
            guard !name.isEmpty, name.utf8.allSatisfy(HeaderField.isNameByte),
                value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 })
            else { throw .wrongUse("--header \(quoted(line)) is no header line; write --header 'NAME: VALUE'") }
            fields.append(HeaderField("x-explain-" + name, String(value)))
        }
        let hasCredential = fields.contains { field in
            ["authorization", "x-api-key", "api-key"].contains { field.isNamed("x-explain-" + $0) }
        }
        let exported = SettingsSources.environment().first { $0.name == "OPENAI_API_KEY" && !$0.value.isEmpty }
        if !hasCredential, let key = exported {
            fields.append(HeaderField("x-explain-authorization", "Bearer " + key.value))
        }
        return fields
    }

    static func text(_ json: Bytes) throws(CommandFailure) -> String {
        guard let answer = json.withUnsafeBytes({ try? JSONValue.parse($0) }), let fields = answer.object else {
            throw .failed("the answer is not that of a Refrain admin port; check --admin")
        }
        var rows: [(String, String)] = []
        func row(_ name: String, _ value: JSONValue?) {
            if let text = value?.text, !text.isEmpty { rows.append((name, text)) }
        }
        row("endpoint", fields["path"])
        row("dialect", fields["dialect"])
        guard fields["cacheable"] == .bool(true) else {
            rows.append(("cacheable", "no"))
            row("reason", fields["reason"])
            row("meaning", fields["meaning"])
            return layOut(rows)
        }
        row("model", fields["model"])
        row("form", fields["form"])
        row("namespace", fields["namespace"])
        row("tenant", fields["tenant"])
        row("key", fields["key"])
        let leftOut = (fields["leftOut"]?.elements ?? []).compactMap(\.text)
        rows.append(("left out", leftOut.isEmpty ? "nothing" : leftOut.joined(separator: ", ")))
        for place in fields["held"]?.elements ?? [] { rows.append(("held in", describe(place))) }
        if (fields["held"]?.elements ?? []).isEmpty {
            rows.append(("held in", "nothing: it would be asked of the model"))
        }
        if let semantic = fields["semantic"] {
            row("by meaning", semantic["result"])
            row("answered as", semantic["alias"])
            for neighbour in semantic["neighbours"]?.elements ?? [] {
                rows.append(("neighbour", describe(match: neighbour)))
            }
        }
        row("canonical", fields["canonical"])
        return layOut(rows)
    }

    private static func describe(_ place: JSONValue) -> String {
        let forms = (place["forms"]?.elements ?? []).compactMap(\.text).joined(separator: " and ")
        return "\(place["tier"]?.text ?? "?"), \(place["ageSeconds"]?.integer ?? 0) s old, "
            + "\(place["ttlSeconds"]?.integer ?? 0) s to live, as \(forms), \(place["bytes"]?.integer ?? 0) bytes"
    }

    private static func describe(match: JSONValue) -> String {
        func percent(_ member: String) -> String? {
            guard case .number(let spelling) = match[member], let share = Double(spelling) else { return nil }
            return StatsReport.percent(share)
        }
        var parts = [match["accepted"] == .bool(true) ? "accepted" : "rejected"]
        if let similarity = percent("similarity") { parts.append("\(similarity) alike") }
        if let confidence = percent("confidence") { parts.append("right with at least \(confidence)") }
        for objection in match["objections"]?.elements ?? [] {
            let word = objection["guard"]?.text ?? "?"
            parts.append(objection["detail"]?.text.map { "\(word): \($0)" } ?? word)
        }
        let text = match["text"]?.text.map { " " + quoted($0) } ?? ""
        return (match["key"]?.text?.prefix(16) ?? "?") + text + " " + parts.joined(separator: ", ")
    }

    private static func layOut(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
        }.joined()
    }
}

/// For a value in a query.
private func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126, 47: result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            result += "%" + String(UnicodeScalar(Hex.digit(byte >> 4))) + String(UnicodeScalar(Hex.digit(byte & 15)))
        }
    }
    return result
}
