import Core

/// Goes through the files of a directory in the order of their names, segment by segment. What has a name that no object
/// can have is passed over, temporary files are told apart, links are not followed.
struct DirectoryWalk {
    enum Step {
        case goOn, stop
    }

    let directory: Directory
    /// Called for each object.
    var object: (ObjectName, Directory.Status) -> Step
    /// Called for each temporary file of the store.
    var temporary: (String) -> Void = { _ in }

    /// - Parameters:
    ///   - folder: where to begin, with its slash; empty for everything.
    ///   - after: the object behind which to go on.
    func run(in folder: String = "", after: ObjectName? = nil) {
        var place = after.flatMap { name in
            name.text.hasPrefix(folder) ? name.text.dropFirst(folder.count).split(separator: "/")[...] : nil
        }
        if place?.isEmpty == true { place = nil }
        _ = walk(folder, depth: folder.count { $0 == "/" }, after: place)
    }

    /// `after` holds the segments, from this folder on, of the object behind which to go on.
    private func walk(_ folder: String, depth: Int, after: ArraySlice<Substring>?) -> Step {
        guard depth < ObjectName.mostSegments else { return .goOn }
        for name in directory.names(in: String(folder.dropLast())).sorted() {
            let path = folder + name
            guard ObjectName.isSegment(name.utf8) else {
                if TemporaryName.isTemporary(name) { temporary(path) }
                continue
            }
            if let first = after?.first, name < first { continue }
            // Only in the folder that holds the last object is there anything left to pass over.
            let rest = after?.first.map { $0 == name } == true ? after?.dropFirst() : nil
            let isAtPlace = rest != nil
            guard let status = directory.status(path) else { continue }
            if status.isFolder {
                if walk(path + "/", depth: depth + 1, after: rest?.isEmpty == false ? rest : nil) == .stop {
                    return .stop
                }
            } else if status.isFile, !isAtPlace, let object = ObjectName(path) {
                if self.object(object, status) == .stop { return .stop }
            }
        }
        return .goOn
    }
}

/// Names of files that are being written. They begin with a dot, as no object's does.
enum TemporaryName {
    private static let prefix = ".put-"
    private static let digits = 16

    static func make(_ random: any RandomSource) -> String {
        let hex = String(random.next(), radix: 16)
        return prefix + String(repeating: "0", count: digits - hex.count) + hex
    }

    static func isTemporary(_ name: String) -> Bool {
        name.utf8.count == prefix.utf8.count + digits && name.hasPrefix(prefix)
            && name.utf8.dropFirst(prefix.utf8.count).allSatisfy { Hex.value(of: $0) != nil }
    }
}
