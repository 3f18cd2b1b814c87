import Core
// `environ` is a variable of C's; it is read once at the start, before there is a second thread.
@preconcurrency import Glibc

/// Where the settings of a process come from: files, the environment and flags.
package enum SettingsSources {
    /// Read where no file is named, if it is there.
    package static let defaultPath = "/etc/refrain/refrain.yaml"

    /// Reads all sources, the later ones over the earlier: defaults, file, `environment`, `--set` assignments.
    /// `path` nil: the default one, which need not exist.
    package static func load(
        file path: String?, environment: [(name: String, value: String)], assignments: [String]
    ) throws(SettingsFailure) -> LoadedSettings {
        var loader = SettingsLoader(syntax: YAMLDocument())
        if path != nil || access(defaultPath, F_OK) == 0 {
            let path = path ?? defaultPath
            loader.add(file: try read(path), named: InputFile.name(path))
        }
        loader.add(environment: environment)
        loader.add(assignments: assignments)
        return try loader.finish()
    }

    /// The variables of this process.
    package static func environment() -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
            }
            next += 1
        }
        return result
    }

    private static func read(_ path: String) throws(SettingsFailure) -> [UInt8] {
        do throws(InputFile.Unreadable) {
            return try InputFile.read(path, limit: YAMLDocument.maxBytes)
        } catch {
            let place = ConfigPlace(.file(error.name), line: 0)
            throw SettingsFailure([SettingsError(at: place, "it \(error.reason)")])
        }
    }
}
