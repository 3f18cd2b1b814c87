// Rules of the operator about requests: how urgent they are, and which other model may answer them.

extension Settings {
    /// How urgent the requests are that fit all of what it names; what is empty fits every request.
    package struct PriorityRule: Sendable, Equatable {
        /// A pattern, without `/v1`.
        package var path = ""
        /// A pattern.
        package var model = ""
        /// `NAME=PATTERN`.
        package var header = ""
        /// 16 hexadecimal digits, as `refrain explain` shows them.
        package var tenant = ""
        /// Where the client does not say.
        package var priority: Priority?
        /// The most urgent that the client may say; nil: `limits.highestPriority`.
        package var highest: Priority?
        package init() {}
    }

    /// Another model that may answer where one cannot.
    package struct Fallback: Sendable, Equatable {
        /// A pattern.
        package var model = ""
        package var to = ""
        package init() {}
    }

    /// Whose requests another model may answer.
    package enum FallbackUse: String, Sendable, CaseIterable {
        /// Those that say `x-refrain-fallback: allow`.
        case asked
        /// All but those that say `x-refrain-fallback: off`.
        case always
    }
}

extension SettingsTable {
    package static let priorityRule: [Setting<Settings.PriorityRule>] = [
        .init("path", \.path, .pattern("a path, without `/v1`,"), "The path, without `/v1`, such as `/embeddings`."),
        .init(
            "model", \.model, .pattern("a model's name"),
            "The model's name, such as `gpt-4*`. Unknown where a request may not be cached."),
        .init("header", \.header, HeaderPatternFormat(), "A header line, such as `x-team=search`."),
        .init(
            "tenant", \.tenant, TenantFormat(),
            "Whose it is: 16 hexadecimal digits as `refrain explain` and the access log show them. Unknown where a "
                + "request may not be cached."),
        .init("priority", \.priority, PriorityFormat(), "How urgent it is where the client does not say."),
        .init(
            "highest", \.highest, PriorityFormat(),
            "The most urgent that the client may say. Empty: `limits.highestPriority`."),
    ]

    package static let fallback: [Setting<Settings.Fallback>] = [
        .init("model", \.model, .pattern("a model's name"), "The model that was asked for, such as `gpt-4o*`."),
        .init("to", \.to, .modelName, "The one that answers instead."),
    ]

    static let policies: [Setting<Settings>] = [
        .init(
            "limits.highestPriority", \.limits.highestPriority, .priority,
            "The most urgent that clients may say with `x-refrain-priority`; what goes beyond counts as this."),
        .init(
            "limits.priorities", \.limits.priorities,
            TableListFormat(
                rows: priorityRule, blank: Settings.PriorityRule(), required: [], maxItems: 256,
                example: "[{path: /embeddings, priority: 2}, {header: x-team=search, highest: 0}]"),
            "How urgent requests are, by path, model, header or tenant; the first rule that fits holds. In patterns `*` stands "
                + "for any text. Members: path, model, header, tenant, priority, highest."),
        .init(
            "limits.fallback", \.limits.fallback, .choice(of: Settings.FallbackUse.self),
            "Whose requests may be answered by another model: of those who ask for it with `x-refrain-fallback: allow`, or of "
                + "all but those who say `off`."),
        .init(
            "limits.fallbacks", \.limits.fallbacks,
            TableListFormat(
                rows: fallback, blank: Settings.Fallback(), required: fallback.map(\.name), maxItems: 256,
                example: "[{model: gpt-4o*, to: gpt-4o-mini}]"),
            "Which model answers when another one cannot: its upstreams failed, were too slow or too busy, and no old answer "
                + "is at hand. The first that fits holds; in patterns `*` stands for any text."),
    ]
}

/// 0, 1 or 2, or nothing.
package struct PriorityFormat: SettingFormat {
    package let kind = "priority"
    package let expected = "0 (interactive), 1 (standard), 2 (batch) or nothing"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Priority? {
        let text = try scalar(node, name)
        if text.isEmpty { return nil }
        guard let number = Int(text), let priority = Priority(rawValue: number) else {
            throw refuse(node, name, "\(quoted(text)) is no priority")
        }
        return priority
    }

    package func write(_ value: Priority?) -> ConfigNode.Content { .scalar(value.map { String($0.rawValue) } ?? "") }
}

/// `NAME=PATTERN`, or nothing.
package struct HeaderPatternFormat: SettingFormat {
    package let kind = "text"
    package let expected =
        "a header's name, an equals sign and a pattern for its value, such as x-team=search*, or nothing"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> String {
        let text = try scalar(node, name)
        if text.isEmpty { return "" }
        let header = text.prefix { $0 != "=" }
        guard text.utf8.count <= 256, header.utf8.count < text.utf8.count, !header.isEmpty,
            header.utf8.allSatisfy(HeaderField.isNameByte), text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 })
        else { throw refuse(node, name, "\(quoted(text)) cannot be read") }
        return text
    }

    package func write(_ value: String) -> ConfigNode.Content { .scalar(value) }
}

/// The digits by which a tenant is known, or nothing.
package struct TenantFormat: SettingFormat {
    package let kind = "text"
    package let expected = "16 hexadecimal digits, or nothing"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> String {
        let text = try scalar(node, name)
        guard text.isEmpty || PurgeGroup(kind: "tenant", subject: text) != nil else {
            throw refuse(node, name, "\(quoted(text)) is no tenant")
        }
        return text.lowercased()
    }

    package func write(_ value: String) -> ConfigNode.Content { .scalar(value) }
}

extension SettingFormat where Self == ChoiceFormat<Priority> {
    static var priority: Self { ChoiceFormat(choices: Priority.allCases.map { (String($0.rawValue), $0) }) }
}

extension SettingFormat where Self == TextFormat {
    /// A text in which `*` stands for any other, or nothing.
    static func pattern(_ what: String) -> Self {
        TextFormat(
            what: "\(what) in which * stands for any text, or nothing", maxBytes: 256, allowsEmpty: true
        ) { $0 >= 32 && $0 != 127 }
    }
}
