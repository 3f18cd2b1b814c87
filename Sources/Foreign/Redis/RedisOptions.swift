import Core

/// How to speak to a Redis or a Redis Cluster.
package struct RedisOptions: Sendable {
    package struct TLS: Sendable {
        /// PEM files. Without an authority, those that the system trusts are.
        package var caFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        /// The name that certificates must have and that servers are asked for; nil: the host of each server.
        package var serverName: String?
        package init() {}
    }

    package var url: RedisURL
    package var mode = Settings.RedisMode.auto
    package var tls = TLS()
    /// For `CLIENT LIST`; an empty one is not sent.
    package var clientName = "refrain"

    /// How long connecting may take, with TLS and credentials, in nanoseconds.
    package var connectTimeout = Duration64.nanosecondsPerSecond
    /// Between attempts to connect, in nanoseconds: doubled each time, the real wait between half of it and the whole.
    package var firstBackoff = 50 * Duration64.nanosecondsPerMillisecond
    package var longestBackoff = 2 * Duration64.nanosecondsPerSecond
    /// A connection that owes an answer for longer takes no command until the answer is there, in nanoseconds.
    package var stallLimit = 100 * Duration64.nanosecondsPerMillisecond
    /// A connection that owes an answer for longer is given up, in nanoseconds.
    package var silenceLimit = 2 * Duration64.nanosecondsPerSecond

    /// Of each connection: commands that wait for an answer, and their bytes.
    package var inFlightCommands = 4096
    package var inFlightBytes = 64 << 20
    /// In bytes.
    package var largestReply = 64 << 20

    /// Redirections that one command follows.
    package var redirections = 3
    /// The slots of a cluster are asked for this often, and no sooner than that after the last time; in nanoseconds.
    package var slotRefresh = 30 * Duration64.nanosecondsPerSecond
    package var slotRefreshFloor = 200 * Duration64.nanosecondsPerMillisecond

    package init(url: RedisURL) { self.url = url }

    /// What cannot work, in words.
    package func validate() throws(RedisSetupFailure) {
        if mode == .cluster, url.database != 0 {
            throw RedisSetupFailure("a Redis Cluster has database 0 only, and \(url) names another")
        }
        if mode == .single, url.endpoints.count > 1 {
            throw RedisSetupFailure("\(url) names several hosts, which a single Redis has not")
        }
        if tls.certificateFile != nil, tls.keyFile == nil {
            throw RedisSetupFailure("a client certificate for Redis is given without its key")
        }
        guard clientName.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw RedisSetupFailure("Redis takes no client name with a blank in it: \(clientName)")
        }
    }
}

extension RedisOptions {
    /// What a new connection says first, and whether the server has to agree.
    var greeting: [(command: RedisCommand, isRequired: Bool)] {
        var greeting: [(command: RedisCommand, isRequired: Bool)] = []
        if let password = url.password {
            let words = ["AUTH", url.user, password.revealed].compactMap { $0.map { Bytes($0) } }
            greeting.append((RedisCommand(words), true))
        }
        if url.database != 0 { greeting.append((RedisCommand("SELECT", String(url.database)), true)) }
        // A user who may not set it, or a proxy that does not know it, is no reason to go without Redis.
        if !clientName.isEmpty { greeting.append((RedisCommand("CLIENT", "SETNAME", clientName), false)) }
        return greeting
    }
}

/// Why a Redis client cannot be made; for people.
package struct RedisSetupFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
