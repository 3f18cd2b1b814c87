import Core
import Dialects

/// Finds the request in a line of a log. It owns memory that is reused, so it belongs to one thread.
package final class RecordReader {
    package struct Options: Sendable {
        /// Only lines of this format are used; nil: each line is recognised by its content.
        package var format: LogFormat?
        /// The model that `text` prompts go to, and the system prompt before them.
        package var model: String?
        package var system: String?

        package init(format: LogFormat? = nil, model: String? = nil, system: String? = nil) {
            self.format = format
            self.model = model
            self.system = system
        }
    }

    /// The body of the last record whose body is `built`.
    package private(set) var built: [UInt8] = []

    private let options: Options
    private var members = LineMembers()
    private var inner = LineMembers()

    /// A line that stands for more requests than this is taken to stand for this many.
    private static let largestCount = 1 << 40

    package init(options: Options) { self.options = options }

    /// `line` has no line end.
    package func read(_ line: UnsafeRawBufferPointer) throws(UnusableLine) -> LogRecord {
        let record = try recognise(line)
        if let wanted = options.format, wanted != record.format { throw .otherFormat }
        return record
    }

    /// Lends the body of a record that was read from `line`.
    package func withBody<Result>(
        of record: LogRecord, in line: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        switch record.body {
        case .part(let range): use(UnsafeRawBufferPointer(rebasing: line[range]))
        case .built: built.withUnsafeBytes(use)
        }
    }

    private func recognise(_ line: UnsafeRawBufferPointer) throws(UnusableLine) -> LogRecord {
        guard let first = line.first(where: { $0 != 32 && $0 != 9 }) else { throw .notJSON }
        guard first == UInt8(ascii: "{") else {
            if (48...57).contains(first), line.contains(9) { return try text(line) }
            throw isUTF8(line) ? .notJSON : .notUTF8
        }
        do throws(JSONFault) {
            try members.read(line)
        } catch {
            throw UnusableLine(error)
        }
        if members.has(.callType) || members.has(.parameters) { return try liteLLM() }
        if let body = members.object(.request) {
            // Warming that counted its own requests would never forget a prompt.
            if members.text(.purpose)?.elementsEqual("warm".utf8) == true { throw .warming }
            return try wrapped(body, .access)
        }
        if let body = members.object(.body), members.has(.address) || members.has(.customID) || !isRequest(members) {
            return try wrapped(body, .batch)
        }
        if members.has(.customID), members.has(.response) || members.has(.error) { throw .answerOnly }
        if let dialect = shape(of: members) {
            return LogRecord(format: .requests, dialect: dialect, body: .part(0..<line.count))
        }
        throw members.has(.address) && members.has(.time) ? .noBody : .unknownShape
    }

    private func isRequest(_ members: LineMembers) -> Bool { shape(of: members) != nil }

    /// The dialect of a body, told by its members.
    private func shape(of members: LineMembers) -> Dialect? {
        guard members.has(.model) else { return nil }
        if members.has(.messages) {
            // Anthropic has `system` beside the messages, and requires `max_tokens`.
            let isClaude = members.has(.maxTokens) && (members.text(.model)?.starts(with: "claude".utf8) ?? false)
            return members.has(.system) || isClaude ? .messages : .chat
        }
        if members.has(.input) {
            return members.text(.model)?.holds("embed") == true ? .embeddings : .responses
        }
        return members.has(.prompt) ? .completions : nil
    }

    private func wrapped(_ body: Range<Int>, _ format: LogFormat) throws(UnusableLine) -> LogRecord {
        var dialect: Dialect?
        if let address = members.text(.address) {
            dialect = RecordReader.dialect(address)
            if dialect == nil, format == .batch { throw .request(.endpoint) }
        }
        if dialect == nil {
            do throws(JSONFault) {
                try inner.read(UnsafeRawBufferPointer(rebasing: members.bytes[body]))
            } catch {
                throw UnusableLine(error)
            }
            dialect = shape(of: inner)
        }
        guard let dialect else { throw .unknownShape }
        return LogRecord(format: format, dialect: dialect, body: .part(body), time: time(), count: count())
    }

    /// A dialect's word, or its path with or without a server before it.
    static func dialect(_ address: UnsafeRawBufferPointer) -> Dialect? {
        let text = address.text
        if let dialect = Dialect.allCases.first(where: { $0.word == text }) { return dialect }
        var path = text.prefix { $0 != "?" }
        if let host = path.firstRange(of: "://") { path = path[host.upperBound...].drop { $0 != "/" } }
        return Dialect(path: String(path))
    }

    private func time() -> Int64? {
        if let text = members.text(.time) { return LogTime.read(text: text) }
        return members.raw(.time).flatMap(LogTime.read(number:))
    }

    private func count() -> Int {
        guard let raw = members.raw(.count), let value = Int(raw.text), value > 0 else { return 1 }
        return min(value, RecordReader.largestCount)
    }

    private func isUTF8(_ line: UnsafeRawBufferPointer) -> Bool { String(validating: line, as: UTF8.self) != nil }
}

// MARK: - Bodies that are put together

extension RecordReader {
    private func text(_ line: UnsafeRawBufferPointer) throws(UnusableLine) -> LogRecord {
        guard let text = String(validating: line, as: UTF8.self) else { throw .notUTF8 }
        let parts = text.utf8.split(separator: 9, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0].trimmed), count > 0, !parts[1].isEmpty else { throw .notJSON }
        guard let model = options.model else { throw .noModel }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("model", model)
        writer.name("messages")
        writer.beginArray()
        for (role, content) in [("system", options.system), ("user", String(parts[1]))] {
            guard let content else { continue }
            writer.beginObject()
            writer.member("role", role)
            writer.member("content", content)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        built = writer.bytes
        return LogRecord(
            format: .text, dialect: .chat, body: .built, count: min(count, RecordReader.largestCount))
    }

    /// LiteLLM keeps the parts of a request in places of their own; `messages` holds what another endpoint calls
    /// `prompt` or `input`.
    private func liteLLM() throws(UnusableLine) -> LogRecord {
        let call = members.text(.callType)?.text ?? "completion"
        let (dialect, name): (Dialect, String) =
            if call.contains("embedding") {
                (.embeddings, "input")
            } else if call.contains("text_completion") {
                (.completions, "prompt")
            } else if call.contains("responses") {
                (.responses, "input")
            } else {
                (call.contains("anthropic") ? .messages : .chat, "messages")
            }
        let source: LineMember = members.isNull(.messages) ? (dialect == .completions ? .prompt : .input) : .messages
        guard let content = members.raw(source), let model = members.raw(.model), !members.isNull(source) else {
            throw .noBody
        }
        // Where messages are redacted, a word stands in their place.
        if dialect == .chat || dialect == .messages, content[0] != UInt8(ascii: "[") { throw .noBody }
        built.removeAll(keepingCapacity: true)
        built += "{\"model\":".utf8
        built += model
        built += ",\"\(name)\":".utf8
        built += content
        if let parameters = members.object(.parameters) {
            do throws(JSONFault) {
                try append(UnsafeRawBufferPointer(rebasing: members.bytes[parameters]), besides: ["model", name])
            } catch {
                throw UnusableLine(error)
            }
        }
        built.append(UInt8(ascii: "}"))
        return LogRecord(format: .litellm, dialect: dialect, body: .built, time: time(), count: count())
    }

    /// The members of `object` that say something; those of `extra_body` belong to the request itself.
    private func append(_ object: UnsafeRawBufferPointer, besides known: [String]) throws(JSONFault) {
        var cursor = try JSONCursor(object)
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            let value = try cursor.skip()
            if name.means("extra_body"), value[0] == UInt8(ascii: "{") {
                try append(value, besides: known + ["extra_body"])
                continue
            }
            guard value[0] != UInt8(ascii: "n"), !known.contains(try name.decoded()) else { continue }
            built += ",\"".utf8
            built += name.raw
            built += "\":".utf8
            built += value
        }
    }
}

extension UnusableLine {
    init(_ fault: JSONFault) {
        self =
            switch fault {
            case .syntax: .notJSON
            case .unicode: .notUTF8
            case .tooLarge: .request(.tooDeep)
            case .duplicateMember: .request(.duplicateMember)
            }
    }
}

extension Substring.UTF8View {
    fileprivate var trimmed: String { String(Substring(self)).filter { $0 != " " } }
}

extension UnsafeRawBufferPointer {
    fileprivate func holds(_ word: String) -> Bool { text.contains(word) }
}
