/// What no setting allows or forbids by itself.
enum SettingsTogether {
    /// A problem of several settings, told at the first of `names` that was written.
    struct Conflict {
        var names: [String]
        var message: String

        init(_ names: String..., message: String) {
            self.names = names
            self.message = message
        }
    }

    static func errors(in loaded: LoadedSettings) -> [SettingsError] {
        let settings = loaded.values
        let conflicts =
            ofListeners(settings) + ofUpstreams(settings.upstreams) + ofRedis(settings.redis)
            + ofObjects(settings.objects) + ofSemantic(settings) + ofWarm(settings.warm)
        return
            conflicts
            .map { conflict in
                let name = conflict.names.first { loaded.origins[$0] != nil } ?? conflict.names[0]
                return SettingsError(at: loaded.origin(of: name), setting: conflict.names[0], conflict.message)
            }
    }

    private static func ofListeners(_ settings: Settings) -> [Conflict] {
        guard settings.listen == settings.admin.listen, settings.listen.port != 0 else { return [] }
        return [
            Conflict(
                "admin.listen", "listen", message: "it is the same address as listen; give it a port of its own")
        ]
    }

    private static func ofUpstreams(_ upstreams: [Settings.Upstream]) -> [Conflict] {
        var conflicts: [Conflict] = []
        func refuse(_ index: Int, _ member: String, _ message: String) {
            conflicts.append(Conflict("upstreams", message: "[\(index)].\(member): \(message)"))
        }
        for (index, upstream) in upstreams.enumerated() {
            if upstreams[..<index].contains(where: { $0.name == upstream.name }) {
                refuse(index, "name", "\(upstream.name) is another one's name too; give each a name of its own")
            }
            if BreakerTarget(rawValue: upstream.name) != nil {
                refuse(index, "name", "\(upstream.name) is what a tier is called in metrics; choose another name")
            }
            let credentials = ["authorization", "x-api-key", "api-key"]
            if !upstream.apiKey.isEmpty, let line = upstream.headers.first(where: { credentials.contains($0.name) }) {
                refuse(index, "headers", "\(line.name) is what apiKey is sent in; leave one of the two out")
            }
        }
        if !upstreams.isEmpty, upstreams.allSatisfy(\.overflow) {
            refuse(0, "overflow", "there is no other upstream that could be busy; leave it out for one of them")
        }
        return conflicts
    }

    private static func ofRedis(_ redis: Settings.Redis) -> [Conflict] {
        var conflicts: [Conflict] = []
        if redis.certificateFile.isEmpty != redis.keyFile.isEmpty {
            let (missing, given) =
                redis.keyFile.isEmpty ? ("keyFile", "certificateFile") : ("certificateFile", "keyFile")
            conflicts.append(
                Conflict(
                    "redis.\(given)",
                    message: "a certificate and its key belong together; set redis.\(missing) too, or neither"))
        }
        guard let url = redis.url else { return conflicts }
        if redis.mode == .single, url.endpoints.count > 1 {
            conflicts.append(
                Conflict(
                    "redis.mode", "redis.url",
                    message: "redis.url names several hosts, which a single Redis has not; name one, or write cluster"))
        }
        if redis.mode == .cluster, url.database != 0 {
            conflicts.append(
                Conflict(
                    "redis.url", "redis.mode",
                    message: "a Redis Cluster has database 0 only; leave the database out of the URL"))
        }
        let ofTLS = [
            ("caFile", redis.caFile), ("certificateFile", redis.certificateFile), ("serverName", redis.serverName),
        ]
        if !url.isTLS, let (name, _) = ofTLS.first(where: { !$0.1.isEmpty }) {
            conflicts.append(
                Conflict(
                    "redis.\(name)", message: "it is for TLS, which redis.url does not ask for; write rediss:// there"))
        }
        return conflicts
    }

    private static func ofWarm(_ warm: Settings.Warm) -> [Conflict] {
        var conflicts: [Conflict] = []
        if warm.halfLife > .zero, warm.halfLife < .seconds(1) {
            conflicts.append(
                Conflict("warm.halfLife", message: "it is shorter than a second; write at least 1s, or 0 for none"))
        }
        if !warm.source.isEmpty, warm.refreshAhead > .zero, warm.refreshAhead < warm.every {
            conflicts.append(
                Conflict(
                    "warm.refreshAhead", "warm.every",
                    message: "it is shorter than warm.every, so that answers could expire between two runs; make it at "
                        + "least as long, or 0"))
        }
        return conflicts
    }

    private static func ofObjects(_ objects: Settings.Objects) -> [Conflict] {
        var conflicts: [Conflict] = []
        if objects.floor > objects.ceiling {
            conflicts.append(
                Conflict(
                    "objects.floor", "objects.ceiling",
                    message: "it is above objects.ceiling, so that nothing would be written; set objects.write to off "
                        + "if that is meant"))
        }
        if case .bucket(let url) = objects.url, url.credentialsFile != nil, !objects.credentialsFile.isEmpty {
            conflicts.append(
                Conflict(
                    "objects.credentialsFile", message: "objects.url names a credentials file too; leave one out"))
        }
        return conflicts
    }

    private static func ofSemantic(_ settings: Settings) -> [Conflict] {
        var conflicts: [Conflict] = []
        if settings.semanticCapacity > settings.memory.capacity.bytes / 2 {
            conflicts.append(
                Conflict(
                    "semantic.capacity", "memory.capacity",
                    message: "it is more than half of memory.capacity, which holds the answers too"))
        }
        if settings.semantic.remote.url != nil, settings.semantic.remote.model.isEmpty {
            conflicts.append(
                Conflict(
                    "semantic.remote.model", "semantic.remote.url",
                    message: "the server of semantic.remote.url must be told which model encodes"))
        }
        return conflicts
    }
}
