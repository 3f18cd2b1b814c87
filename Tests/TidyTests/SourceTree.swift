import Foundation
import Testing

/// The repository's own text files, for tests about how they are written.
struct SourceFile: Sendable, CustomTestStringConvertible {
    /// From the repository's root.
    let path: String
    let lines: [Substring]

    var testDescription: String { path }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The names of the modules it imports.
    var imports: [String] {
        lines.compactMap { line in
            var words = line.split(separator: " ")
            words.removeAll {
                $0.hasPrefix("@") || ["internal", "package", "private", "public", "struct"].contains($0)
            }
            guard words.first == "import", words.count >= 2 else { return nil }
            return words[1].split(separator: ".").first.map(String.init)
        }
    }
}

enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All files below some folders of the root, without what was built.
    static func files(below folders: String...) -> [SourceFile] {
        folders.flatMap { folder -> [SourceFile] in
            let start = root.appending(path: folder)
            guard
                let walker = FileManager.default.enumerator(at: start, includingPropertiesForKeys: [.isRegularFileKey])
            else { return [] }
            return walker.compactMap { item in
                guard let url = item as? URL, !url.path.contains("/."), !url.path.contains("__pycache__"),
                    (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true,
                    let text = try? String(contentsOf: url, encoding: .utf8)
                else { return nil }
                let path = String(url.path.dropFirst(root.path.hasSuffix("/") ? root.path.count : root.path.count + 1))
                return SourceFile(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
        }
    }

    static let swift = files(below: "Sources", "Tests", "Benchmarks").filter(\.isSwift)
    static let shipped = files(below: "Sources").filter { $0.isSwift && !$0.path.hasPrefix("Sources/TestKit") }
}
