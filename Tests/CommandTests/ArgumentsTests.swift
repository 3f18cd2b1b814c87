import Core
import Testing

@testable import refrain

@Suite struct ArgumentsTests {
    private let flag = Command.Option(name: "--fast", sentence: "Fast.")
    private let once = Command.Option(name: "--config", value: "FILE", sentence: "A file.")
    private let many = Command.Option(name: "--set", value: "NAME=VALUE", sentence: "A setting.", mayRepeat: true)

    private var command: Command {
        Command(
            name: "try", summary: "Tries.",
            positionals: [
                .init(name: "FILE", sentence: "A file.", isRequired: true),
                .init(name: "OTHER", sentence: "Another.", isRequired: false),
            ], options: [flag, once, many], examples: [.init(line: "refrain try x", sentence: "Try x")],
            run: { _ in })
    }

    @Test func sortsWords() throws {
        let words = ["--set", "a=b", "x", "--config=f=g", "--set=c=d", "--fast", "--", "--y"]
        let arguments = try Arguments(words, for: command)
        #expect(arguments.positionals == ["x", "--y"])
        #expect(arguments.values(of: many) == ["a=b", "c=d"])
        #expect(arguments.value(of: once) == "f=g")
        #expect(arguments.has(flag))
        #expect(try !Arguments(["-"], for: command).has(flag))
    }

    @Test(arguments: [
        ([], "FILE is missing; use: refrain try FILE [OTHER] [options]"),
        (["a", "b", "c"], "\"c\" is one argument too many; use: refrain try FILE [OTHER] [options]"),
        (["a", "--confg", "f"], "try has no option \"--confg\"; did you mean --config?"),
        (["a", "--zzzzzzzzz"], "try has no option \"--zzzzzzzzz\"; `refrain try --help` lists those there are"),
        (["a", "--config"], "--config needs a value; write --config FILE"),
        (["a", "--fast=yes"], "--fast takes no value; write --fast alone"),
        (["a", "--config", "f", "--config", "g"], "--config is given twice; write it once"),
        (["a", "-x"], "try has no option \"-x\"; `refrain try --help` lists those there are"),
    ])
    func refuses(words: [String], message: String) {
        let failure = #expect(throws: CommandFailure.self) { try Arguments(words, for: command) }
        #expect(failure == .wrongUse(message))
    }

    @Test func helpNeedsNothingElse() throws {
        #expect(try Arguments(["--help"], for: command).wantsHelp)
        #expect(try Arguments(["a", "b", "c", "-h"], for: command).wantsHelp)
    }

    @Test func everyCommandIsExplained() throws {
        for command in CommandTable.all {
            #expect(!command.examples.isEmpty, "\(command.name)")
            #expect(command.help.contains("Usage: refrain \(command.name)"))
            #expect(
                try CommandTable.find(command.name.split(separator: " ").map(String.init)).command?.name == command.name
            )
        }
    }

    @Test(arguments: [
        (["confg", "print"], "there is no command \"confg\"; did you mean refrain config?"),
        (["config", "prnt"], "there is no command \"config prnt\"; did you mean refrain config print?"),
        (["nothinglikeit"], "there is no command \"nothinglikeit\"; `refrain --help` lists those there are"),
    ])
    func unknownCommands(words: [String], message: String) {
        let failure = #expect(throws: CommandFailure.self) { try CommandTable.find(words) }
        #expect(failure == .wrongUse(message))
    }

    @Test(
        arguments: [
            (["--version"], 0), (["--help"], 0), (["config", "--help"], 0), (["config", "print", "--help"], 0),
            (["config", "reference", "metrics"], 0), (["config", "check", "/nonexistent.yaml"], 1),
            (["config", "print", "--set", "cache.tll=1h"], 1), ([], 2), (["config"], 2), (["config", "check"], 2),
            (["config", "print", "--nope"], 2), (["config", "reference", "nothing"], 2),
            (["help"], 0), (["help", "config"], 0), (["help", "config", "print"], 0), (["help", "nothing"], 2),
        ] as [([String], Int32)])
    func exitCodes(words: [String], code: Int32) async {
        #expect(await CommandTable.run(words) == code)
    }

    @Test func sidecarsAreFoundByFlagThenVariableThenDefault() throws {
        let command = Command(name: "x", summary: "X.", options: [.admin, .url], examples: [], run: { _ in })
        let none = try Arguments([], for: command)
        let flagged = try Arguments(["--admin", "127.0.0.1:1"], for: command)
        let exported = [(name: "REFRAIN_ADMIN", value: "https://h:2/")]
        #expect(try Sidecar.admin(none, environment: []).description == "http://127.0.0.1:8401")
        #expect(try Sidecar.url(none, environment: exported).description == "http://127.0.0.1:8400")
        #expect(try Sidecar.admin(none, environment: exported).description == "https://h:2")
        #expect(try Sidecar.admin(flagged, environment: exported).description == "http://127.0.0.1:1")
        let failure = #expect(throws: CommandFailure.self) {
            try Sidecar.admin(none, environment: [(name: "REFRAIN_ADMIN", value: "::")])
        }
        #expect(failure?.message.hasPrefix("REFRAIN_ADMIN is not a URL") == true)
    }
}
