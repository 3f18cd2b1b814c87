/// The settings of a process, and where each of those that are not defaults was written.
package struct LoadedSettings: Sendable, Equatable {
    package var values: Settings
    /// By the setting's name.
    package var origins: [String: ConfigPlace]

    package func origin(of name: String) -> ConfigPlace { origins[name] ?? .builtIn }
}

/// Lays sources of settings over each other: defaults, then what is added, each over the ones before.
///
/// Problems are collected, so that one start names them all; `finish` throws them.
package struct SettingsLoader {
    /// More than these are not reported: one wrong indentation makes every line below it wrong.
    package static let maxErrors = 20

    /// Variables that begin like settings but tell clients of a running sidecar where it is.
    package static let clientVariables = ["REFRAIN_URL", "REFRAIN_ADMIN"]

    private let syntax: any ConfigSyntax
    private var loaded = LoadedSettings(values: Settings(), origins: [:])
    private var errors: [SettingsError] = []

    package init(syntax: any ConfigSyntax) { self.syntax = syntax }

    /// A configuration text; `name` is its file's, for errors and origins.
    package mutating func add(file text: [UInt8], named name: String) {
        do throws(SettingsError) {
            add(try syntax.read(text, from: .file(name)), under: "")
        } catch {
            errors.append(error)
        }
    }

    /// All variables of the environment; those that do not begin with `REFRAIN_` are none of ours.
    package mutating func add(environment: [(name: String, value: String)]) {
        for (name, value) in environment.sorted(by: { $0.name < $1.name })
        where name.hasPrefix("REFRAIN_") && !SettingsLoader.clientVariables.contains(name) {
            let place = ConfigPlace(.environment(name))
            if let setting = SettingsTable.all.first(where: { $0.environmentName == name }) {
                set(setting, to: value, at: place)
            } else {
                let known = SettingsTable.all.map(\.environmentName)
                errors.append(SettingsError(at: place, "there is no such setting; " + hint(name, among: known)))
            }
        }
    }

    /// The values of `--set` flags, `name=value` each.
    package mutating func add(assignments: [String]) {
        let place = ConfigPlace(.flag("--set"))
        for assignment in assignments {
            guard let equals = assignment.firstIndex(of: "=") else {
                let message = "\(quoted(assignment)) has no value; write --set name=value"
                errors.append(SettingsError(at: place, message))
                continue
            }
            let name = String(assignment[..<equals])
            if let setting = SettingsTable.all.first(where: { $0.name == name }) {
                set(setting, to: String(assignment[assignment.index(after: equals)...]), at: place)
            } else {
                errors.append(unknown(name, at: place))
            }
        }
    }

    /// The settings, if every source was right and they go together.
    package consuming func finish() throws(SettingsFailure) -> LoadedSettings {
        if errors.isEmpty { errors = SettingsTogether.errors(in: loaded) }
        guard errors.isEmpty else { throw SettingsFailure(Array(errors.prefix(SettingsLoader.maxErrors))) }
        return loaded
    }

    // MARK: Steps

    private mutating func add(_ node: ConfigNode, under prefix: String) {
        guard case .map(let members) = node.content else {
            // A section whose members are all commented out is an empty scalar.
            if node.text != "" {
                let message = "\(node.kindWord) stands here; write settings as `name: value`"
                errors.append(SettingsError(at: node.place, setting: prefix, message))
            }
            return
        }
        for member in members {
            let name = prefix.isEmpty ? member.name : "\(prefix).\(member.name)"
            if let setting = SettingsTable.all.first(where: { $0.name == name }) {
                take(setting, member.value)
            } else if SettingsTable.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
                add(member.value, under: name)
            } else {
                errors.append(unknown(name, at: member.place))
            }
        }
    }

    private mutating func set(_ setting: Setting<Settings>, to text: String, at place: ConfigPlace) {
        guard setting.isStructured else { return take(setting, ConfigNode(.scalar(text), at: place)) }
        do throws(SettingsError) {
            var node = try syntax.read([UInt8](text.utf8), from: place.source)
            if node.content == .map([]) && !text.contains("{") { node = ConfigNode(.list([]), at: place) }
            take(setting, node)
        } catch {
            errors.append(SettingsError(at: place, setting: setting.name, error.message))
        }
    }

    private mutating func take(_ setting: Setting<Settings>, _ node: ConfigNode) {
        do throws(SettingsError) {
            try setting.read(node, into: &loaded.values)
            loaded.origins[setting.name] = node.place
        } catch {
            errors.append(error)
        }
    }

    private func unknown(_ name: String, at place: ConfigPlace) -> SettingsError {
        // A section by itself is a name too: in a file it is where the mistake was made.
        let names = SettingsTable.all.map(\.name)
        let sections = Set(names.map { String($0.prefix { $0 != "." }) }).sorted()
        let hint = hint(name, among: name.contains(".") ? names : sections)
        return SettingsError(at: place, setting: shortened(name), "there is no such setting; " + hint)
    }

    private func hint(_ name: String, among known: [String]) -> String {
        NearestName.find(name, among: known).map { "did you mean \($0)?" }
            ?? "`refrain config reference` lists those there are"
    }
}
