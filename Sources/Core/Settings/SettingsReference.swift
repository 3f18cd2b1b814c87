/// The reference pages of the settings, rendered from the table.
package enum SettingsReference {
    /// `docs/configuration.md`.
    package static func markdown() -> String {
        var result = """
            # Configuration

            Written by `make docs` from the table of settings; edit the table, not this page.

            A setting is looked for in four places, and the later one wins:

            1. the default below,
            2. the YAML file given with `--config FILE`, or `/etc/refrain/refrain.yaml` where that exists,
            3. the environment variable named below,
            4. the flag `--set name=value`, which may be repeated.

            Outside a file, lists are written in YAML's flow style: `--set 'cache.keyHeaders=[openai-beta]'`.
            A setting that does not exist, or whose value cannot be read, stops the start with a message that says
            where it stands, what is wrong and what was probably meant. `refrain config check FILE` checks without
            starting, `refrain config print` shows the effective settings and where each comes from.
            `refrain reload` (or SIGHUP) has a running sidecar read file and flags anew; what it says of each setting
            below, whether it takes a change over then.

            Durations are whole numbers of `ms`, `s`, `m`, `h` or `d`; sizes are whole numbers of `B`, `KiB`, `MiB`,
            `GiB`, `TiB`, `KB`, `MB` or `GB`. The unit may be left out only of 0.


            """
        let defaults = Settings()
        for section in SettingsTable.sections {
            result += "## \(section.name)\n\n\(section.sentence)\n\n"
            for setting in settings(of: section.name) {
                result += "### `\(setting.name)`\n\n\(setting.sentence)\n\n"
                result += "- Form: \(setting.kind): \(setting.expected)\n"
                result += "- Default: \(code(setting.write(defaults)))\n"
                result += "- Environment: `\(setting.environmentName)`\n"
                result += "- A change takes effect \(setting.isLive ? "at a reload" : "at the next start")\n\n"
            }
            if section.name == "upstreams" { result += upstreamMarkdown() }
        }
        return String(result.dropLast())
    }

    private static func upstreamMarkdown() -> String {
        var result = "| Member | Form | Default | Meaning |\n|---|---|---|---|\n"
        let defaults = Settings.Upstream()
        for row in SettingsTable.upstream {
            let standard = row.name == "url" ? "none" : code(row.write(defaults))
            result += "| `\(row.name)` | \(row.expected) | \(standard) | \(row.sentence) |\n"
        }
        return result + "\n"
    }

    /// `config/refrain.yaml`: every setting with its default, explained in comments.
    package static func yaml() -> String {
        var result = """
            # All settings of Refrain with their defaults. Written by `make docs`; a copy needs only what differs.
            # Each can also be given as an environment variable or with --set; see docs/configuration.md.


            """
        let defaults = Settings()
        for section in SettingsTable.sections {
            result += "# \(section.sentence)\n"
            let settings = settings(of: section.name)
            let isNested = settings.first?.name != section.name
            if isNested { result += "\(section.name):\n" }
            for setting in settings {
                let indent = isNested ? "  " : ""
                let member = isNested ? setting.name.dropFirst(section.name.count + 1) : setting.name[...]
                result += "\(indent)# \(setting.sentence)\n\(indent)# Write \(setting.expected).\n"
                result += "\(indent)\(member): \(ConfigPrinter.flow(setting.write(defaults)))\n"
            }
            if section.name == "upstreams" { result += upstreamYAML() }
            result += "\n"
        }
        return String(result.dropLast())
    }

    private static func upstreamYAML() -> String {
        var result = "# An upstream with all its members:\n# upstreams:\n"
        let defaults = Settings.Upstream()
        for (index, row) in SettingsTable.upstream.enumerated() {
            let value = row.name == "url" ? "https://api.deepseek.com" : ConfigPrinter.flow(row.write(defaults))
            result += "#   \(index == 0 ? "-" : " ") \(row.name): \(value)   # \(row.sentence)\n"
        }
        return result
    }

    private static func settings(of section: String) -> [Setting<Settings>] {
        SettingsTable.all.filter { $0.name == section || $0.name.hasPrefix(section + ".") }
    }

    private static func code(_ node: ConfigNode) -> String {
        node.text == "" ? "empty" : "`\(ConfigPrinter.flow(node))`"
    }
}
