import Core
import Foreign
import TestKit
import Testing

@Suite struct YAMLDocumentTests {
    private func read(_ text: String) throws(SettingsError) -> ConfigNode {
        try YAMLDocument().read([UInt8](text.utf8), from: .file("f"))
    }

    @Test func placesAreThoseOfTheText() throws {
        let root = try read("a: 1\nb:\n  - x\n  - {c: 'y z'}\n")
        guard case .map(let members) = root.content, members.count == 2 else {
            Issue.record("not the two members of the text")
            return
        }
        #expect(members[0].name == "a" && members[0].value.text == "1")
        #expect(members[0].value.place.description == "f:1:4")
        #expect(members[1].place.description == "f:2:1")
        guard case .list(let items) = members[1].value.content, items.count == 2 else {
            Issue.record("not the two items of the text")
            return
        }
        #expect(items[1].place.description == "f:4:5")
        guard case .map(let inner) = items[1].content else {
            Issue.record("not a map in the second item")
            return
        }
        #expect(inner.map(\.value.text) == ["y z"])
    }

    @Test(arguments: ["", "\n", "# only\n# comments\n", "---\n", "--- \n...\n", "{}"])
    func emptyTextsAreEmptyMaps(text: String) throws {
        #expect(try read(text).content == .map([]))
    }

    @Test(arguments: [
        ("a: 1\n\tb: 2\n", 2, 1, "indent with spaces"),
        ("a: [1, 2\n", 2, 1, "not YAML"),
        ("a: 1\na: 2\n", 2, 1, "a second time; the first is in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, 3, "a second time; the first is in line 2"),
        ("a: &x 1\n", 1, 4, "anchors"),
        ("a: 1\nb: *x\n", 2, 4, "anchors"),
        ("a: !!int 1\n", 1, 4, "tags"),
        ("a: !!map {}\n", 1, 4, "tags"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("? [a, b]\n: 1\n", 1, 3, "a single word"),
        ("a: \"\u{1}\"\n", 1, 5, "control characters"),
        ("a: 'open\n", 2, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "not YAML"),
    ])
    func refusals(text: String, line: Int, column: Int, message: String) {
        let error = #expect(throws: SettingsError.self) { try read(text) }
        #expect(error?.place == ConfigPlace(.file("f"), line: line, column: column))
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func invalidUTF8IsPlaced() {
        let error = #expect(throws: SettingsError.self) {
            try YAMLDocument().read(Array("a: 1\nb: ".utf8) + [0xFF, 0x0A], from: .file("f"))
        }
        #expect(error?.place == ConfigPlace(.file("f"), line: 2, column: 4))
    }

    @Test(arguments: [
        String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000),
        String(repeating: "- ", count: 100_000) + "x", String(repeating: "[a,a,a,a],", count: 50_000),
        "a: " + String(repeating: "x", count: YAMLDocument.maxBytes),
        "[" + String(repeating: "x,", count: 20_000) + "]",
    ])
    func bombsAreRefused(text: String) {
        #expect(throws: SettingsError.self) { try read(text) }
    }

    /// Random texts over YAML's own marks: either a tree or an error, never more.
    @Test func noTextDoesHarm() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let alphabet = [UInt8]("ab:-[]{},&*!|>'\"%@`#? \n\t\\\u{0}".utf8) + [0xC3, 0xFF]
        var trees = 0
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0..<24, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            if (try? YAMLDocument().read(text, from: .file("f"))) != nil { trees += 1 }
        }
        // Some of both, or the alphabet is a bad one.
        #expect(trees > 100 && trees < 4_900, "seed \(seed)")
    }

    /// Whatever is printed reads back as what it was.
    @Test func printedTreesReadBack() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let node = ConfigNode(.map([member("root", tree(depth: 3, &random))]), at: .builtIn)
            let text = ConfigPrinter.flow(node)
            let back = try? read(text)
            #expect(back.map(ConfigPrinter.flow) == text, "seed \(seed): \(text)")
            #expect(back.map(texts) == texts(node), "seed \(seed): \(text)")
        }
    }

    private func member(_ name: String, _ value: ConfigNode) -> ConfigNode.Member {
        ConfigNode.Member(name: name, place: .builtIn, value: value)
    }

    private func tree(depth: Int, _ random: inout SeededRandom) -> ConfigNode {
        let kind = depth == 0 ? 0 : Int.random(in: 0..<3, using: &random)
        let count = Int.random(in: 0..<4, using: &random)
        switch kind {
        case 1: return ConfigNode(.list((0..<count).map { _ in tree(depth: depth - 1, &random) }), at: .builtIn)
        case 2:
            let members = (0..<count).map { member("n\($0)", tree(depth: depth - 1, &random)) }
            return ConfigNode(.map(members), at: .builtIn)
        default:
            let alphabet = Array("aZ09 :#-'\"\\,[]{}&*!|>%@`~?\n\t\u{1B}\u{85}é😀")
            let length = Int.random(in: 0..<8, using: &random)
            let characters = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            return ConfigNode(.scalar(String(characters)), at: .builtIn)
        }
    }

    /// The tree without places.
    private func texts(_ node: ConfigNode) -> [String] {
        switch node.content {
        case .scalar(let text): [text]
        case .list(let items): ["["] + items.flatMap(texts) + ["]"]
        case .map(let members): ["{"] + members.flatMap { [$0.name] + texts($0.value) } + ["}"]
        }
    }
}
