import Core
import Foreign

/// `refrain-sim model`.
enum ModelCommand {
    private static let help =
        """
        Serves the OpenAI and Anthropic protocols with made-up text that is the same for the same request.

        Usage: refrain-sim model [options]

        Options:
        \(SimulatorOptions.reference.map { "  --\($0.key)\(String(repeating: " ", count: 20 - $0.key.count))\($0.value)" }
            .joined(separator: "\n"))

        A request may ask for trouble with the header x-sim-fail, or with [sim-fail: …] in its prompt:
          \(Fault.wordList)
        GET /sim/stats counts calls, POST /sim/reset starts the counts again, POST /sim/set changes options
        ({"first-token": "10ms"}), /sim/echo answers what it was asked.

        Examples:
          # A quick model on another port.
          refrain-sim model --listen 127.0.0.1:9000 --first-token 20ms --tokens-per-second 500
          # One call in ten fails.
          refrain-sim model --fail-rate 0.1 --fail-status 503

        """

    static func run(_ words: [String]) -> CInt {
        var options = SimulatorOptions()
        do {
            let names = SimulatorOptions.reference.map(\.key)
            let line = try CommandLineWords(words, known: names, flags: ["busy"])
            if line.wantsHelp {
                Console.write(help, to: .output)
                return 0
            }
            guard line.positionals.isEmpty else {
                throw CommandLineWords.Invalid(message: "'\(line.positionals[0])' is one argument too many")
            }
            for option in line.options { try options.set(option.name, option.value) }
        } catch let error as CommandLineWords.Invalid {
            return refuse(error.message, 2)
        } catch let error as SimulatorOptions.Invalid {
            return refuse(error.message, 2)
        } catch {
            return refuse("\(error)", 2)
        }
        do {
            try serve(options)
            return 0
        } catch {
            return refuse("\(error)", 1)
        }
    }

    private static func refuse(_ message: String, _ code: CInt) -> CInt {
        Console.write("refrain-sim model: \(message)\n", to: .error)
        return code
    }

    private static func serve(_ options: SimulatorOptions) throws {
        let loop = try EventLoop()
        let model = SimulatedModel(loop: loop, clock: SystemClock(), options: options)
        var serverOptions = HTTPServerOptions()
        serverOptions.address = options.listen.host
        serverOptions.port = options.listen.port
        let server = try HTTPServer(loop: loop, options: serverOptions, handler: model)
        let signals = Signals.stopping.map { signal in
            loop.watchSignal(signal) {
                server.stop()
                loop.stop()
            }
        }
        let address = NetworkAddress(host: options.listen.host, port: server.boundPort)
        Console.write(
            "refrain-sim: SIMULATED model on http://\(address) - it makes its answers up, it is no language model\n",
            to: .output)
        withExtendedLifetime((model, signals)) { loop.run() }
    }
}
