import Core

/// One command: what it takes, how it is explained, what it does.
struct Command: Sendable {
    struct Option: Sendable {
        /// With its hyphens.
        var name: String
        /// What the value is, nil for a flag without one.
        var value: String?
        var sentence: String
        var mayRepeat = false
    }

    struct Positional: Sendable {
        var name: String
        var sentence: String
        var isRequired: Bool
        /// Of the last one only.
        var mayRepeat = false
    }

    struct Example: Sendable {
        var line: String
        var sentence: String
    }

    /// One word, or two for the members of a family such as `config print`.
    var name: String
    /// What it does, one sentence.
    var summary: String
    var positionals: [Positional] = []
    var options: [Option] = []
    var examples: [Example]
    var run: @Sendable (Arguments) async throws(CommandFailure) -> Void

    /// `refrain config check FILE [--json]`, as it stands in the help.
    var synopsis: String {
        var result = "refrain \(name)"
        for positional in positionals {
            let name = positional.name + (positional.mayRepeat ? "…" : "")
            result += positional.isRequired ? " \(name)" : " [\(name)]"
        }
        return options.isEmpty ? result : result + " [options]"
    }

    /// The answer to `--help`.
    var help: String {
        var result = "\(summary)\n\nUsage: \(synopsis)\n"
        if !positionals.isEmpty {
            result += "\nArguments:\n" + columns(positionals.map { ($0.name, $0.sentence) })
        }
        let all = options + [Option(name: "--help", sentence: "Show this help.")]
        result += "\nOptions:\n" + columns(all.map { (($0.name + ($0.value.map { " " + $0 } ?? "")), $0.sentence) })
        result += "\nExamples:\n"
        for example in examples { result += "  # \(example.sentence)\n  \(example.line)\n" }
        return result
    }
}

/// The words after the command, sorted by what the command takes.
struct Arguments: Sendable, Equatable {
    private(set) var positionals: [String] = []
    private var values: [String: [String]] = [:]
    private(set) var wantsHelp = false

    func has(_ option: Command.Option) -> Bool { values[option.name] != nil }

    /// The value of an option that is given at most once.
    func value(of option: Command.Option) -> String? { values[option.name]?.first }

    /// The values of an option that may repeat, in the order given.
    func values(of option: Command.Option) -> [String] { values[option.name] ?? [] }

    init(_ words: [String], for command: Command) throws(CommandFailure) {
        var rest = words[...]
        var optionsEnded = false
        while let word = rest.popFirst() {
            if optionsEnded || word == "-" || !word.hasPrefix("-") {
                positionals.append(word)
            } else if word == "--" {
                optionsEnded = true
            } else if word == "--help" || word == "-h" {
                wantsHelp = true
            } else {
                try take(word, &rest, command)
            }
        }
        if wantsHelp { return }
        let needed = command.positionals.filter(\.isRequired)
        if positionals.count < needed.count {
            throw .wrongUse("\(needed[positionals.count].name) is missing; use: \(command.synopsis)")
        }
        if positionals.count > command.positionals.count, command.positionals.last?.mayRepeat != true {
            let extra = quoted(positionals[command.positionals.count])
            throw .wrongUse("\(extra) is one argument too many; use: \(command.synopsis)")
        }
    }

    private mutating func take(
        _ word: String, _ rest: inout ArraySlice<String>, _ command: Command
    ) throws(CommandFailure) {
        let equals = word.firstIndex(of: "=")
        let name = equals.map { String(word[..<$0]) } ?? word
        guard let option = command.options.first(where: { $0.name == name }) else {
            let nearest = NearestName.find(name, among: command.options.map(\.name) + ["--help"])
            let hint = nearest.map { "did you mean \($0)?" } ?? "`refrain \(command.name) --help` lists those there are"
            throw .wrongUse("\(command.name) has no option \(quoted(name)); \(hint)")
        }
        var value = equals.map { String(word[word.index(after: $0)...]) }
        if let what = option.value {
            value = value ?? rest.popFirst()
            guard value != nil else { throw .wrongUse("\(name) needs a value; write \(name) \(what)") }
        } else if value != nil {
            throw .wrongUse("\(name) takes no value; write \(name) alone")
        }
        guard option.mayRepeat || values[name] == nil else { throw .wrongUse("\(name) is given twice; write it once") }
        values[name, default: []].append(value ?? "")
    }
}
