import Foreign

Console.exit(await CommandTable.run(Array(CommandLine.arguments.dropFirst())))
