import Core
import Foreign

extension Command {
    static let configPrint = Command(
        name: "config print",
        summary: "Shows the effective settings and where each comes from; secrets are masked.",
        options: [.config, .set, .json],
        examples: [
            Example(line: "refrain config print", sentence: "What `refrain serve` would run with"),
            Example(
                line: "refrain config print --config refrain.yaml --set cache.ttl=1h",
                sentence: "A file, with one setting over it"),
        ],
        run: { arguments throws(CommandFailure) in
            let loaded = try LoadedSettings.load(arguments)
            if arguments.has(.json) { return try Output.write(json: ConfigPrinter.json(loaded)) }
            try Output.write(ConfigPrinter.yaml(loaded))
        })

    static let configCheck = Command(
        name: "config check",
        summary: "Reads a settings file and says what is wrong with it.",
        positionals: [Positional(name: "FILE", sentence: "The file; - reads standard input.", isRequired: true)],
        examples: [
            Example(line: "refrain config check config/refrain.yaml", sentence: "Check a file before it is used"),
            Example(
                line: "refrain config print | refrain config check -", sentence: "Check what another command wrote"),
        ],
        run: { arguments throws(CommandFailure) in
            let path = arguments.positionals[0]
            let loaded: LoadedSettings
            do throws(SettingsFailure) {
                loaded = try SettingsSources.load(file: path, environment: [], assignments: [])
            } catch {
                throw .failed(error.description)
            }
            do throws(EncryptionKeys.Unusable) {
                _ = try loaded.values.cache.encryptionKey.load()
            } catch {
                throw .failed("\(loaded.origin(of: "cache.encryptionKey")): cache.encryptionKey: \(error)")
            }
            let count = loaded.origins.count
            try Output.write(
                "\(InputFile.name(path)): right, \(count) setting\(count == 1 ? "" : "s")\n")
        })

    static let configReference = Command(
        name: "config reference",
        summary: "Prints a reference page, rendered from the tables this build runs with.",
        positionals: [
            Positional(
                name: "PAGE", sentence: "settings (the default), metrics, or file: a commented settings file.",
                isRequired: false)
        ],
        examples: [
            Example(line: "refrain config reference", sentence: "All settings, as Markdown"),
            Example(line: "refrain config reference metrics", sentence: "All metrics, as Markdown"),
            Example(line: "refrain config reference file > refrain.yaml", sentence: "Start a settings file"),
        ],
        run: { arguments throws(CommandFailure) in
            let page = arguments.positionals.first ?? "settings"
            switch page {
            case "settings": try Output.write(SettingsReference.markdown())
            case "metrics": try Output.write(MetricsReference.markdown())
            case "file": try Output.write(SettingsReference.yaml())
            default:
                throw .wrongUse("there is no page \(quoted(page)); write settings, metrics or file")
            }
        })
}
