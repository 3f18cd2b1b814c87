import Core
import Dialects
import Foreign

/// `refrain-sim replay`.
enum ReplayCommand {
    private struct Options {
        var url = "http://127.0.0.1:8400"
        var pace = Replay.Pace()
        var printsJSON = false
        var file = ""

        struct Invalid: Error { let message: String }

        init(_ line: CommandLineWords) throws(Invalid) {
            for option in line.options {
                switch option.name {
                case "url": url = option.value
                case "json": printsJSON = true
                case "concurrency":
                    guard let value = Int(option.value), (1...1000).contains(value) else {
                        throw Invalid(message: "--concurrency: '\(option.value)' is not a number from 1 to 1000")
                    }
                    pace.concurrency = value
                default:
                    guard let value = Double(option.value), (0...1_000_000).contains(value) else {
                        throw Invalid(message: "--rate: '\(option.value)' is not a number from 0 to 1000000")
                    }
                    pace.rate = value
                }
            }
            guard line.positionals.count == 1 else { throw Invalid(message: "name one file, or - for standard input") }
            file = line.positionals[0]
        }
    }

    private static let fileLimit = 1 << 30

    private static let help =
        """
        Sends the requests of a JSON Lines file and reports how they were answered.

        A line is a request body, or {"url": "/v1/…", "body": {…}}. OPENAI_API_KEY, if set, goes along.

        Usage: refrain-sim replay [options] FILE

        Options:
          --url URL           where to send them (http://127.0.0.1:8400)
          --concurrency N     calls at once (8)
          --rate N            calls started in a second; 0: as fast as answers come (0)
          --json              print the report as JSON

        Examples:
          # The sample log, through a sidecar on its default port.
          refrain-sim replay config/samples/prompts.jsonl
          # Fifty a second, the report for another program.
          refrain-sim replay --rate 50 --json prompts.jsonl

        """

    static func run(_ words: [String]) -> CInt {
        do {
            let line = try CommandLineWords(words, known: ["url", "concurrency", "rate", "json"], flags: ["json"])
            if line.wantsHelp {
                Console.write(help, to: .output)
                return 0
            }
            let options = try Options(line)
            guard let url = UpstreamURL(options.url) else {
                throw Options.Invalid(message: "--url: '\(options.url)' is not a URL such as http://127.0.0.1:8400")
            }
            return replay(options, url)
        } catch let error as CommandLineWords.Invalid {
            return refuse(error.message, 2)
        } catch let error as Options.Invalid {
            return refuse(error.message, 2)
        } catch {
            return refuse("\(error)", 2)
        }
    }

    private static func refuse(_ message: String, _ code: CInt) -> CInt {
        Console.write("refrain-sim replay: \(message)\n", to: .error)
        return code
    }

    private static func replay(_ options: Options, _ url: UpstreamURL) -> CInt {
        do {
            let bytes = try InputFile.read(options.file, limit: fileLimit)
            let credential = SettingsSources.environment().first { $0.name == "OPENAI_API_KEY" }?.value
            let lines = try ReplayLine.read(bytes, credential: credential)
            let report = try send(lines, to: url, options.pace)
            let text =
                options.printsJSON ? String(decoding: report.json.serialised, as: UTF8.self) + "\n" : report.table
            Console.write(text, to: .output)
            return report.errors == 0 ? 0 : 1
        } catch let error as ReplayLine.Invalid {
            return refuse("\(options.file): \(error.message)", 1)
        } catch {
            return refuse("\(error)", 1)
        }
    }

    private static func send(_ lines: [ReplayLine], to url: UpstreamURL, _ pace: Replay.Pace) throws -> ReplayReport {
        let loop = try EventLoop()
        let clock = SystemClock()
        let upstream = try CurlUpstream(loop: loop, options: UpstreamOptions(base: UpstreamBase(url)), clock: clock)
        var bar = ProgressBar(isTerminal: Console.isTerminal(.error))
        var result = ReplayReport()
        let replay = Replay(
            loop: loop, upstream: upstream, clock: clock, lines: lines, pace: pace,
            progressed: { done, total in Console.write(bar.text(done: done, total: total), to: .error) },
            ended: { report in
                result = report
                upstream.close()
                loop.stop()
            })
        // A timer rather than `execute`: the replay belongs to the loop's thread, which is this one.
        let first = loop.timer { replay.start() }
        first.arm(after: 0)
        withExtendedLifetime(first) { loop.run() }
        return result
    }
}
