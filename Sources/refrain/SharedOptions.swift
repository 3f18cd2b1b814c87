import Core
import Foreign

extension Command.Option {
    static let config = Command.Option(
        name: "--config", value: "FILE", sentence: "Settings to read; else \(SettingsSources.defaultPath), if there.")
    static let set = Command.Option(
        name: "--set", value: "NAME=VALUE", sentence: "A setting, over file and environment; may be repeated.",
        mayRepeat: true)
    static let json = Command.Option(name: "--json", sentence: "Print JSON.")
    static let url = Command.Option(
        name: "--url", value: "URL", sentence: "The sidecar's data port; else REFRAIN_URL, else \(Sidecar.standardURL)."
    )
    static let admin = Command.Option(
        name: "--admin", value: "URL",
        sentence: "The sidecar's admin port; else REFRAIN_ADMIN, else \(Sidecar.standardAdmin).")
}

/// Where a running sidecar is, for the commands that talk to one.
enum Sidecar {
    static let standardURL = "http://127.0.0.1:8400"
    static let standardAdmin = "http://127.0.0.1:8401"

    static func url(
        _ arguments: Arguments, environment: [(name: String, value: String)]
    ) throws(CommandFailure) -> UpstreamURL {
        try find(arguments.value(of: .url), "--url", "REFRAIN_URL", environment, standardURL)
    }

    static func admin(
        _ arguments: Arguments, environment: [(name: String, value: String)]
    ) throws(CommandFailure) -> UpstreamURL {
        try find(arguments.value(of: .admin), "--admin", "REFRAIN_ADMIN", environment, standardAdmin)
    }

    private static func find(
        _ flag: String?, _ flagName: String, _ variable: String, _ environment: [(name: String, value: String)],
        _ standard: String
    ) throws(CommandFailure) -> UpstreamURL {
        let exported = environment.first { $0.name == variable && !$0.value.isEmpty }?.value
        let text = flag ?? exported ?? standard
        // A bare `host:port` is what the settings call an address.
        if let url = UpstreamURL(text.contains("://") ? text : "http://" + text) { return url }
        throw .wrongUse("\(flag == nil ? variable : flagName) is not a URL; write one such as \(standard)")
    }
}

extension LoadedSettings {
    /// The settings that `--config`, the environment and `--set` add up to.
    static func load(
        _ arguments: Arguments, environment: [(name: String, value: String)] = SettingsSources.environment()
    ) throws(CommandFailure) -> LoadedSettings {
        do throws(SettingsFailure) {
            return try SettingsSources.load(
                file: arguments.value(of: .config), environment: environment,
                assignments: arguments.values(of: .set))
        } catch {
            throw .failed(error.description)
        }
    }
}
