import Core
import Foreign

/// All commands, and the way from the words of a command line to one of them.
enum CommandTable {
    static let all: [Command] = [
        .serve, .warm, .importPairs, .stats, .topScreen, .keys, .explain, .purge, .reload, .configPrint, .configCheck,
        .configReference,
    ]

    /// The help of the whole program, or of the family of commands whose names begin with a word.
    static func help(family: String? = nil) -> String {
        let shown = all.filter { command in family.map { command.name.hasPrefix($0 + " ") } ?? true }
        var result = "Refrain answers repeated requests to a language model from a cache.\n\n"
        result += "Usage: refrain \(family.map { $0 + " " } ?? "")COMMAND [arguments]\n\nCommands:\n"
        result += columns(shown.map { ($0.name, $0.summary) })
        result += "\nExamples:\n"
        for command in shown { result += "  refrain \(command.name) --help\n" }
        return family == nil ? result + "  refrain --version\n" : result
    }

    /// Runs a command line without the program's name; the exit code is the result.
    static func run(_ words: [String]) async -> Int32 {
        do throws(CommandFailure) {
            try await dispatch(words)
            return 0
        } catch {
            for line in error.message.split(separator: "\n") { Console.write("refrain: \(line)\n", to: .error) }
            return error.kind.rawValue
        }
    }

    private static func dispatch(_ words: [String]) async throws(CommandFailure) {
        guard let first = words.first else {
            throw .wrongUse("no command is given; `refrain --help` lists those there are")
        }
        // `refrain help config print` is `refrain config print --help`.
        if first == "help", words.count > 1 { return try await dispatch(words.dropFirst() + ["--help"]) }
        if ["--help", "-h", "help"].contains(first) { return try Output.write(help()) }
        if first == "--version" { return try Output.write("refrain \(refrainVersion)\n") }
        let (command, rest) = try find(words)
        guard let command else { return try Output.write(help(family: first)) }
        let arguments = try Arguments(rest, for: command)
        if arguments.wantsHelp { return try Output.write(command.help) }
        try await command.run(arguments)
    }

    /// The command and the words behind its name; nil where the help of a family was asked for.
    static func find(_ words: [String]) throws(CommandFailure) -> (command: Command?, rest: [String]) {
        for command in all {
            let name = command.name.split(separator: " ").map(String.init)
            if words.starts(with: name) { return (command, Array(words.dropFirst(name.count))) }
        }
        let first = words.first ?? ""
        let family = all.filter { $0.name.hasPrefix(first + " ") }.map(\.name)
        if family.isEmpty {
            let nearest = NearestName.find(first, among: all.map { $0.name.prefix { $0 != " " }.description })
            throw .wrongUse("there is no command \(quoted(first)); " + hint(nearest))
        }
        guard words.count > 1 else {
            let commands = family.map { "refrain " + $0 }.joined(separator: ", ")
            throw .wrongUse("\(first) needs to know what; write one of \(commands)")
        }
        if ["--help", "-h"].contains(words[1]) { return (nil, []) }
        let nearest = NearestName.find("\(first) \(words[1])", among: family)
        throw .wrongUse("there is no command \(quoted("\(first) \(words[1])")); " + hint(nearest))
    }

    private static func hint(_ nearest: String?) -> String {
        nearest.map { "did you mean refrain \($0)?" } ?? "`refrain --help` lists those there are"
    }
}
