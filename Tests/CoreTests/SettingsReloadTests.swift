import Core
import Testing

@Suite struct SettingsReloadTests {
    @Test("nothing is different") func same() {
        let reload = SettingsReload(from: Settings(), to: Settings())
        #expect(reload.values == Settings())
        #expect(reload.changed == [] && reload.needsRestart == [])
    }

    @Test("what can be changed is taken over, the rest stays and is named") func mixed() throws {
        var running = Settings()
        running.cache.secret = Secret("one")
        var wanted = running
        wanted.upstreams = [Settings.Upstream()]
        wanted.limits.revalidations = 5
        wanted.log.level = .debug
        wanted.log.access.keep = 9
        wanted.limits.workers = 3
        wanted.memory.capacity = .mebibytes(1)
        wanted.listen.port = 1
        wanted.cache.secret = Secret("two")
        let reload = SettingsReload(from: running, to: wanted)
        #expect(reload.changed == ["upstreams", "limits.revalidations", "log.level", "log.access.keep"])
        #expect(reload.needsRestart == ["listen", "cache.secret", "memory.capacity", "limits.workers"])
        var expected = wanted
        expected.limits.workers = running.limits.workers
        expected.memory = running.memory
        expected.listen = running.listen
        expected.cache = running.cache
        #expect(reload.values == expected)
        // What could not be taken over is named again the next time.
        let again = SettingsReload(from: reload.values, to: wanted)
        #expect(again.changed == [] && again.needsRestart == reload.needsRestart)
    }

    @Test("every setting is either taken over or not, by its name alone") func sections() {
        let live = Set(SettingsTable.all.filter(\.isLive).map { $0.name.prefix { $0 != "." } })
        #expect(live == ["upstreams", "limits", "log"])
        for name in ["limits.workers", "limits.requestMemory", "limits.jsonDepth", "limits.fillMemory"] {
            #expect(SettingsTable.all.first { $0.name == name }?.isLive == false, "\(name)")
        }
        for name in ["limits.requestBody", "limits.drainTimeout", "limits.upstreamConnections", "log.access.path"] {
            #expect(SettingsTable.all.first { $0.name == name }?.isLive == true, "\(name)")
        }
    }
}
