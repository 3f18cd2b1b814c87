import Core

/// Reads YAML into the neutral tree that the settings are taken from.
///
/// Of YAML it takes what configuration needs: maps, lists and scalars. Anchors and aliases, with which a small
/// text stands for a huge tree, tags and several documents are refused, and size, depth and nodes are bounded.
package struct YAMLDocument: ConfigSyntax {
    package static let maxBytes = 1 << 20
    package static let maxDepth = 16
    package static let maxNodes = 10_000

    package init() {}

    package func read(_ text: [UInt8], from source: ConfigSource) throws(SettingsError) -> ConfigNode {
        guard text.count <= YAMLDocument.maxBytes else {
            throw SettingsError(at: ConfigPlace(source, line: 0), "it is larger than \(YAMLDocument.maxBytes) bytes")
        }
        do throws(YAMLParser.Failure) {
            var composer = Composer(parser: try YAMLParser(text), source: source)
            return try composer.document()
        } catch {
            throw SettingsError(
                at: ConfigPlace(source, line: error.mark.line, column: error.mark.column), error.message)
        }
    }
}

/// Builds the tree from the parser's events.
private struct Composer: ~Copyable {
    private var parser: YAMLParser
    private let source: ConfigSource
    private var nodes = 0

    init(parser: consuming YAMLParser, source: ConfigSource) {
        self.parser = parser
        self.source = source
    }

    mutating func document() throws(YAMLParser.Failure) -> ConfigNode {
        _ = try parser.next()
        let (start, mark) = try parser.next()
        // Nothing but comments: no document starts.
        guard case .documentStart = start else { return ConfigNode(.map([]), at: place(mark)) }
        let (first, firstMark) = try parser.next()
        let root = try node(first, firstMark, depth: 0)
        _ = try parser.next()
        let (end, endMark) = try parser.next()
        guard case .streamEnd = end else { throw refuse(endMark, "a second document begins; write one") }
        return root.content == .scalar("") ? ConfigNode(.map([]), at: root.place) : root
    }

    private mutating func node(
        _ event: YAMLParser.Event, _ mark: YAMLParser.Mark, depth: Int
    ) throws(YAMLParser.Failure) -> ConfigNode {
        nodes += 1
        guard nodes <= YAMLDocument.maxNodes else { throw refuse(mark, "more than \(YAMLDocument.maxNodes) values") }
        guard depth <= YAMLDocument.maxDepth else { throw refuse(mark, "nested deeper than \(YAMLDocument.maxDepth)") }
        switch event {
        case .scalar(_, isDecorated: true), .listStart(isDecorated: true), .mapStart(isDecorated: true), .alias:
            throw refuse(mark, "anchors, aliases and tags are not supported; write the value out")
        case .scalar(let text, _): return ConfigNode(.scalar(text), at: place(mark))
        case .listStart: return ConfigNode(.list(try list(depth: depth)), at: place(mark))
        case .mapStart: return ConfigNode(.map(try map(depth: depth)), at: place(mark))
        default: throw refuse(mark, "libyaml gave an event that cannot stand here")
        }
    }

    private mutating func list(depth: Int) throws(YAMLParser.Failure) -> [ConfigNode] {
        var items: [ConfigNode] = []
        while true {
            let (event, mark) = try parser.next()
            if case .listEnd = event { return items }
            items.append(try node(event, mark, depth: depth + 1))
        }
    }

    private mutating func map(depth: Int) throws(YAMLParser.Failure) -> [ConfigNode.Member] {
        var members: [ConfigNode.Member] = []
        var lines: [String: Int] = [:]
        while true {
            let (event, mark) = try parser.next()
            if case .mapEnd = event { return members }
            guard let name = try node(event, mark, depth: depth + 1).text else {
                throw refuse(mark, "a name has to be a single word")
            }
            if let line = lines.updateValue(mark.line, forKey: name) {
                throw refuse(mark, "\(quoted(name)) stands here a second time; the first is in line \(line)")
            }
            let (value, valueMark) = try parser.next()
            let member = try node(value, valueMark, depth: depth + 1)
            members.append(ConfigNode.Member(name: name, place: place(mark), value: member))
        }
    }

    private func place(_ mark: YAMLParser.Mark) -> ConfigPlace {
        ConfigPlace(source, line: mark.line, column: mark.column)
    }

    private func refuse(_ mark: YAMLParser.Mark, _ message: String) -> YAMLParser.Failure {
        YAMLParser.Failure(mark: mark, message: message)
    }
}
