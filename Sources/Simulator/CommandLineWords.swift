/// The words after `refrain-sim model` or `refrain-sim replay`.
struct CommandLineWords {
    private(set) var options: [(name: String, value: String)] = []
    private(set) var positionals: [String] = []
    private(set) var wantsHelp = false

    struct Invalid: Error { let message: String }

    /// `flags` take no value; all other names in `known` take one, after a space or `=`.
    init(_ words: [String], known: [String], flags: Set<String>) throws(Invalid) {
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                positionals.append(word)
                continue
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if name == "help" {
                wantsHelp = true
            } else if !known.contains(name) {
                throw Invalid(message: "there is no option --\(name); --help lists those there are")
            } else if parts.count == 2 {
                options.append((name, String(parts[1])))
            } else if flags.contains(name) {
                options.append((name, "true"))
            } else if let value = rest.popFirst() {
                options.append((name, value))
            } else {
                throw Invalid(message: "--\(name) needs a value")
            }
        }
    }
}
