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
            loader.add(file: try read(path), named: path == "-" ? "standard input" : path)
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

    /// A whole file, or standard input for `-`, a little more than `limit` bytes at most, so that
    /// the caller can tell.
    package static func read(
        _ path: String, limit: Int = YAMLDocument.maxBytes
    ) throws(SettingsFailure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { if path != "-" { close(descriptor) } }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while text.count <= limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            if count == 0 { break }
            text += buffer[..<count]
        }
        return text
    }

    private static func unreadable(_ path: String) -> SettingsFailure {
        let reason = String(cString: strerror(errno))
        return SettingsFailure([SettingsError(at: ConfigPlace(.file(path), line: 0), "it cannot be read: \(reason)")])
    }
}
