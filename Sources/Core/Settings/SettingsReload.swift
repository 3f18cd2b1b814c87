/// What a running sidecar takes over of settings that were read anew.
package struct SettingsReload: Sendable, Equatable {
    /// Those to run with from now on: the new ones as far as they can be changed, the old ones otherwise.
    package private(set) var values: Settings
    /// What is different from before.
    package private(set) var changed: [String] = []
    /// What would be different after a restart.
    package private(set) var needsRestart: [String] = []

    package init(from running: Settings, to wanted: Settings) {
        values = running
        for setting in SettingsTable.all where !setting.isSame(in: running, and: wanted) {
            if setting.isLive {
                setting.copy(from: wanted, into: &values)
                changed.append(setting.name)
            } else {
                needsRestart.append(setting.name)
            }
        }
    }
}

extension Setting<Settings> {
    /// Whether a running sidecar takes a change over when it is told to reload.
    package var isLive: Bool {
        name == "upstreams" || name.hasPrefix("log.")
            || name.hasPrefix("limits.") && !SettingsTable.fixedLimits.contains(name)
    }
}

extension SettingsTable {
    /// What threads, sockets, queues and keys were made with.
    fileprivate static let fixedLimits: Set<String> = [
        "limits.workers", "limits.requestMemory", "limits.requestHead", "limits.connections", "limits.idleTimeout",
        "limits.headTimeout", "limits.bodyTimeout", "limits.jsonDepth", "limits.fillEntries", "limits.fillMemory",
    ]
}
