import Foundation
import Testing

/// The rules of the house that a formatter cannot see. A failure names the cure.
@Suite struct HouseRulesTests {
    @Test func theTreeIsFound() {
        #expect(SourceTree.swift.count > 50, "the rules below would hold for an empty tree: mend SourceTree.root")
    }

    @Test func filesStayShort() {
        for file in SourceTree.swift where file.lines.count > 501 {
            Issue.record("\(file.path) has \(file.lines.count - 1) lines: split it by what its parts are about (500)")
        }
    }

    @Test func functionsStayShort() {
        for file in SourceTree.shipped {
            for function in longFunctions(file) {
                Issue.record("\(file.path): \(function): give parts of it names of their own (60 lines)")
            }
        }
    }

    @Test func theCLibrariesStayBehindTheWall() {
        let walled: Set = ["CEvent", "CMicrohttpd", "CCurl", "CCrypto", "CHiredis", "CYaml", "Glibc"]
        for file in SourceTree.shipped where !file.path.hasPrefix("Sources/Foreign/") {
            for module in file.imports where walled.contains(module) || module.hasPrefix("C") && module != "Core" {
                Issue.record("\(file.path) imports \(module): only Sources/Foreign may; add what you need there")
            }
        }
    }

    @Test func roomsImportOnlyWhatTheyMay() {
        let rooms = [
            "Core": [], "Dialects": ["Core"], "Tiers": ["Core"], "Foreign": ["Core"],
            "Warmup": ["Core", "Dialects"], "Semantic": ["Core", "Dialects"],
            "Engine": ["Core", "Dialects", "Tiers"], "Server": ["Core", "Dialects", "Engine", "Foreign"],
            "Simulator": ["Core", "Dialects", "Foreign"],
            "refrain": ["Core", "Dialects", "Tiers", "Semantic", "Engine", "Foreign", "Server", "Warmup"],
        ]
        let ours = Set(rooms.keys).union(["TestKit"])
        for file in SourceTree.shipped {
            let room = String(file.path.split(separator: "/")[1])
            guard let allowed = rooms[room] else { continue }
            for module in file.imports where ours.contains(module) && !allowed.contains(module) {
                Issue.record("\(file.path) imports \(module): docs/architecture.md has no such arrow; pass it in")
            }
        }
    }

    @Test func whatShipsDoesWithoutFoundation() {
        for file in SourceTree.shipped where file.imports.contains("Foundation") {
            Issue.record("\(file.path) imports Foundation: it costs memory; FoundationEssentials or nothing")
        }
    }

    @Test func escapesFromStrictConcurrencyAreProved() {
        for file in SourceTree.shipped {
            for (index, line) in file.lines.enumerated()
            where (line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)"))
                && !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
            {
                let near = file.lines[max(0, index - 16)...min(file.lines.count - 1, index + 3)]
                let isProved = near.contains {
                    $0.contains("//") && ($0.contains("Sendable ") || $0.contains("Unchecked transfer"))
                }
                #expect(isProved, "\(file.path):\(index + 1): say in a comment beside it why this is Sendable")
            }
        }
    }

    @Test func nothingIsLeftOpen() {
        // Spelled in two parts, or this file would not pass.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "fatalError(\"not" + " implemented"]
        for file in SourceTree.swift where !file.path.hasPrefix("Tests/TidyTests") {
            for (index, line) in file.lines.enumerated() {
                for mark in marks where line.contains(mark) {
                    Issue.record("\(file.path):\(index + 1) has \(mark): do it or leave it out")
                }
            }
        }
    }

    @Test func noTestIsSwitchedOff() {
        for file in SourceTree.files(below: "Tests") where !file.path.hasPrefix("Tests/TidyTests") {
            let marks =
                file.path.hasSuffix(".swift")
                ? [".disabled(", "XCTSkip"] : ["pytest.skip", "mark.skip", "mark.xfail"]
            for (index, line) in file.lines.enumerated() {
                for mark in marks where line.contains(mark) {
                    Issue.record("\(file.path):\(index + 1) has \(mark): a test runs or is not there")
                }
            }
        }
    }

    @Test func namesSayWhatThingsAre() {
        for file in SourceTree.shipped {
            for (index, line) in file.lines.enumerated() {
                let words = line.split(whereSeparator: { !$0.isLetter })
                for kind in ["class", "struct", "enum", "actor", "protocol"] {
                    guard let at = words.firstIndex(of: Substring(kind)), at + 1 < words.count else { continue }
                    let name = words[at + 1]
                    if name.hasSuffix("Utils") || name.hasSuffix("Helper") || name.hasSuffix("Manager") {
                        Issue.record("\(file.path):\(index + 1): \(name) says nothing; name what it does")
                    }
                }
            }
        }
    }

    @Test func noPathOfSomebodysMachine() {
        let marks = [
            "/ro" + "ot/", "/wo" + "rk/", "/home" + "/", "pypi" + ".org", "deb" + "ian.org", "files.python" + "hosted",
        ]
        for file in SourceTree.files(below: "Sources", "Tests", "Benchmarks", "docs", "config") {
            for (index, line) in file.lines.enumerated() {
                for mark in marks where line.contains(mark) {
                    Issue.record("\(file.path):\(index + 1) names \(mark): that is true on one machine only")
                }
            }
        }
    }

    /// Functions of more than 60 lines, told by indentation: the formatter puts a body's closing brace under its `func`.
    private func longFunctions(_ file: SourceFile) -> [String] {
        var found: [String] = []
        for (index, line) in file.lines.enumerated() {
            let indent = line.prefix { $0 == " " }
            let code = line.dropFirst(indent.count)
            guard code.contains("func ") || code.hasPrefix("init(") || code.contains(" init("), !code.hasPrefix("//")
            else { continue }
            let end = file.lines[(index + 1)...].firstIndex { $0 == indent + "}" || $0.hasPrefix(indent + "} ") }
            guard let end, end - index > 62 else { continue }
            // A one-line body has no brace of its own; the next one belongs to somebody else.
            guard
                !file.lines[index...end].dropFirst().contains(where: {
                    $0.hasPrefix(indent) && isDeclaration($0, indent)
                })
            else { continue }
            found.append("\(code.prefix(60)) has \(end - index - 1) lines")
        }
        return found
    }

    private func isDeclaration(_ line: Substring, _ indent: Substring) -> Bool {
        let code = line.dropFirst(indent.count)
        guard let first = code.first, first != " " else { return false }
        return code.contains("func ") || code.hasPrefix("///") || code.hasPrefix("var ") || code.hasPrefix("let ")
    }
}
