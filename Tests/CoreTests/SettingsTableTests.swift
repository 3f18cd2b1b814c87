import Core
import Testing

@Suite struct SettingsTableTests {
    @Test func namesAreUniqueInEveryNotation() {
        #expect(Set(SettingsTable.all.map(\.name)).count == SettingsTable.all.count)
        #expect(Set(SettingsTable.all.map(\.environmentName)).count == SettingsTable.all.count)
        #expect(Set(SettingsTable.upstream.map(\.name)).count == SettingsTable.upstream.count)
    }

    @Test func everySettingStandsInAKnownSection() {
        let sections = SettingsTable.sections.map(\.name)
        for setting in SettingsTable.all {
            #expect(sections.contains(setting.name.prefix { $0 != "." }.description), "\(setting.name)")
        }
    }

    @Test(arguments: [
        ("listen", "REFRAIN_LISTEN"), ("admin.token", "REFRAIN_ADMIN_TOKEN"), ("upstreams", "REFRAIN_UPSTREAMS"),
        ("cache.staleIfError", "REFRAIN_CACHE_STALE_IF_ERROR"), ("limits.jsonDepth", "REFRAIN_LIMITS_JSON_DEPTH"),
    ])
    func environmentNames(name: String, variable: String) {
        #expect(SettingsTable.all.first { $0.name == name }?.environmentName == variable)
    }

    @Test func everyDefaultIsInItsRangeAndReadsBackAsItself() throws {
        let defaults = Settings()
        for setting in SettingsTable.all {
            var settings = defaults
            try setting.read(setting.write(defaults), into: &settings)
            #expect(settings == defaults, "\(setting.name)")
        }
        for row in SettingsTable.upstream where row.name != "url" {
            var upstream = Settings.Upstream()
            try row.read(row.write(upstream), into: &upstream)
            #expect(upstream == Settings.Upstream(), "upstreams[].\(row.name)")
        }
    }

    @Test func everySettingSaysWhatItIs() {
        for (name, sentence) in SettingsTable.all.map({ ($0.name, $0.sentence) })
            + SettingsTable.upstream.map({ ($0.name, $0.sentence) })
        {
            #expect(sentence.hasSuffix(".") && sentence.count > 15, "\(name)")
        }
    }

    @Test(arguments: [
        ("cache.tll", "cache.ttl"), ("cache.stale_if_error", "cache.staleIfError"), ("Cache.TTL", "cache.ttl"),
        ("cache.capacity", "memory.capacity"), ("chace", nil), ("limits.worker", "limits.workers"),
        ("log.levle", "log.level"), ("completely.different", nil), ("", nil),
    ])
    func nearestNames(name: String, nearest: String?) {
        #expect(NearestName.find(name, among: SettingsTable.all.map(\.name)) == nearest)
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("ttl", "tll", 1),
    ])
    func editDistances(a: String, b: String, distance: Int) {
        #expect(NearestName.editDistance(Array(a.utf8), Array(b.utf8)) == distance)
        #expect(NearestName.editDistance(Array(b.utf8), Array(a.utf8)) == distance)
    }
}
