import CYaml

/// libyaml's parser: pulls the events of one text. Frees the parser when it goes.
struct YAMLParser: ~Copyable {
    enum Event {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias
        case scalar(String, isDecorated: Bool)
        case listStart(isDecorated: Bool)
        case listEnd
        case mapStart(isDecorated: Bool)
        case mapEnd
    }

    /// Position in the text, both from 1.
    struct Mark {
        var line: Int
        var column: Int

        init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
    }

    struct Failure: Error {
        var mark: Mark
        var message: String
    }

    /// On the heap, because libyaml keeps the parser's own address inside it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// A copy of the text at an address that stays, because the parser reads it with every pull.
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(Failure) {
        parser = .allocate(capacity: 1)
        text = .allocate(capacity: bytes.count)
        _ = text.initialize(fromContentsOf: bytes)
        guard yaml_parser_initialize(parser) == 1 else {
            // The parser is all zero after a failed initialisation, which deinit's call accepts.
            throw Failure(mark: Mark(line: 1, column: 1), message: "libyaml is out of memory")
        }
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    mutating func next() throws(Failure) -> (event: Event, mark: Mark) {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
        defer { yaml_event_delete(&raw) }
        return (try convert(raw), Mark(raw.start_mark))
    }

    private func convert(_ raw: yaml_event_t) throws(Failure) -> Event {
        switch raw.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text, isDecorated: scalar.anchor != nil || scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let list = raw.data.sequence_start
            return .listStart(isDecorated: list.anchor != nil || list.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT:
            let map = raw.data.mapping_start
            return .mapStart(isDecorated: map.anchor != nil || map.tag != nil)
        case YAML_MAPPING_END_EVENT: return .mapEnd
        default: throw Failure(mark: Mark(raw.start_mark), message: "libyaml gave an event of an unknown kind")
        }
    }

    private func failure() -> Failure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        guard parser.pointee.error == YAML_READER_ERROR else {
            let mark = Mark(parser.pointee.problem_mark)
            let context = parser.pointee.context.map { String(cString: $0) + ", " } ?? ""
            let hint = byte(at: parser.pointee.problem_mark.index) == UInt8(ascii: "\t") ? "; indent with spaces" : ""
            return Failure(mark: mark, message: "not YAML: \(context)\(problem)\(hint)")
        }
        // The decoder below the scanner knows only a byte offset.
        let before = text.prefix(min(parser.pointee.problem_offset, text.count))
        let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return Failure(mark: Mark(line: line, column: column), message: "not YAML: \(problem)")
    }

    private func byte(at index: Int) -> UInt8? { text.indices.contains(index) ? text[index] : nil }
}
