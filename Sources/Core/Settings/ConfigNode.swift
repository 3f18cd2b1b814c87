/// One value of a configuration text before it is known what it should be: a scalar without a type, a list or a
/// map, and where it stands.
package struct ConfigNode: Sendable, Equatable {
    package indirect enum Content: Sendable, Equatable {
        /// Quotes and block styles undone; a missing value is empty.
        case scalar(String)
        case list([ConfigNode])
        /// In the order written, without duplicate names.
        case map([Member])
    }

    package struct Member: Sendable, Equatable {
        package var name: String
        package var place: ConfigPlace
        package var value: ConfigNode

        package init(name: String, place: ConfigPlace, value: ConfigNode) {
            self.name = name
            self.place = place
            self.value = value
        }
    }

    package var content: Content
    package var place: ConfigPlace

    package init(_ content: Content, at place: ConfigPlace) {
        self.content = content
        self.place = place
    }

    /// The text of a scalar, nil for lists and maps.
    package var text: String? {
        if case .scalar(let text) = content { text } else { nil }
    }

    /// What it is, for error messages.
    package var kindWord: String {
        switch content {
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a section with names of its own"
        }
    }
}

/// Where a setting was written.
package enum ConfigSource: Sendable, Equatable {
    case builtIn
    case file(String)
    /// The variable's name.
    case environment(String)
    /// The flag without its value.
    case flag(String)
}

package struct ConfigPlace: Sendable, Equatable, CustomStringConvertible {
    package var source: ConfigSource
    /// From 1; meaningful in files only. 0 stands for the file as a whole.
    package var line: Int
    package var column: Int

    package init(_ source: ConfigSource, line: Int = 1, column: Int = 1) {
        self.source = source
        self.line = line
        self.column = column
    }

    package static let builtIn = ConfigPlace(.builtIn)

    package var description: String {
        switch source {
        case .builtIn: "default"
        case .file(let name): line == 0 ? name : "\(name):\(line):\(column)"
        case .environment(let name): name
        case .flag(let flag): flag
        }
    }
}

/// A reader of configuration texts. `Foreign` implements it for YAML.
package protocol ConfigSyntax: Sendable {
    /// The tree of one text; an empty text is an empty map. Every node carries `source` in its place.
    func read(_ text: [UInt8], from source: ConfigSource) throws(SettingsError) -> ConfigNode
}

/// One thing that is wrong with the settings, in one line that says where, what and what to write instead.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    package var place: ConfigPlace
    /// Empty where no single setting is to blame.
    package var setting: String
    package var message: String

    package init(at place: ConfigPlace, setting: String = "", _ message: String) {
        self.place = place
        self.setting = setting
        self.message = message
    }

    package var description: String {
        setting.isEmpty ? "\(place): \(message)" : "\(place): \(setting): \(message)"
    }
}

/// Everything that is wrong with the settings; never empty.
package struct SettingsFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package var errors: [SettingsError]

    package init(_ errors: [SettingsError]) { self.errors = errors }

    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
