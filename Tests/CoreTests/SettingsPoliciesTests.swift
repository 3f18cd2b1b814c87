import Core
import Testing

@Suite struct SettingsPoliciesTests {
    private func map(_ members: [(String, String)]) -> ConfigNode {
        ConfigNode(
            .map(
                members.map {
                    ConfigNode.Member(name: $0.0, place: .builtIn, value: ConfigNode(.scalar($0.1), at: .builtIn))
                }), at: .builtIn)
    }

    private func read(_ name: String, _ node: ConfigNode) throws -> Settings {
        var settings = Settings()
        let setting = try #require(SettingsTable.all.first { $0.name == name })
        try setting.read(node, into: &settings)
        return settings
    }

    private func list(_ rows: [[(String, String)]]) -> ConfigNode { ConfigNode(.list(rows.map(map)), at: .builtIn) }

    @Test func rules() throws {
        let settings = try read(
            "limits.priorities",
            list([
                [("path", "/embeddings"), ("priority", "2")],
                [
                    ("model", "gpt-4*"), ("header", "x-team=search*"), ("tenant", "0123456789ABCDEF"), ("highest", "0"),
                ], [],
            ]))
        var (first, second) = (Settings.PriorityRule(), Settings.PriorityRule())
        (first.path, first.priority) = ("/embeddings", .batch)
        (second.model, second.header, second.tenant) = ("gpt-4*", "x-team=search*", "0123456789abcdef")
        second.highest = .interactive
        #expect(settings.limits.priorities == [first, second, Settings.PriorityRule()])
        // What is written reads back as itself.
        var again = Settings()
        let setting = try #require(SettingsTable.all.first { $0.name == "limits.priorities" })
        try setting.read(setting.write(settings), into: &again)
        #expect(again == settings)
    }

    @Test(arguments: [
        ("priority", "3"), ("priority", "high"), ("highest", "-1"), ("header", "x-team"), ("header", "=a"),
        ("header", "x team=a"), ("header", "x-team=a\nb"), ("tenant", "12"), ("tenant", "0123456789abcdeg"),
        ("path", "a\u{0}"), ("modle", "x"),
    ])
    func wrongRules(member: String, value: String) {
        #expect(throws: SettingsError.self) { try read("limits.priorities", list([[(member, value)]])) }
    }

    @Test func fallbacks() throws {
        let settings = try read("limits.fallbacks", list([[("model", "big*"), ("to", "small")]]))
        var rule = Settings.Fallback()
        (rule.model, rule.to) = ("big*", "small")
        #expect(settings.limits.fallbacks == [rule])
        for row in [[("model", "big")], [("to", "small")], [("model", "big"), ("to", "")]] {
            #expect(throws: SettingsError.self) { try read("limits.fallbacks", list([row])) }
        }
    }
}
