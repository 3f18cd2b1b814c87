import Foreign

let words = Array(CommandLine.arguments.dropFirst())
Signals.ignoreBrokenPipes()
switch words.first {
case "model": Console.exit(ModelCommand.run(Array(words.dropFirst())))
case "replay": Console.exit(ReplayCommand.run(Array(words.dropFirst())))
case "--help", "-h":
    Console.write(
        """
        A simulated model server and a client that replays requests. Nothing here is a real language model.

        Usage: refrain-sim model [options]         serve the OpenAI and Anthropic protocols with made-up text
               refrain-sim replay [options] FILE   send the requests of a JSON Lines file, and report

        `refrain-sim model --help` and `refrain-sim replay --help` list the options.

        """, to: .output)
    Console.exit(0)
default:
    Console.write("refrain-sim: say `refrain-sim model` or `refrain-sim replay FILE`; --help explains\n", to: .error)
    Console.exit(2)
}
