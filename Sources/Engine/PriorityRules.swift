import Core

/// How urgent requests are, by the operator's rules and what their clients say.
package struct PriorityRules: Sendable {
    fileprivate struct Rule: Sendable {
        var path: Glob?
        var model: Glob?
        /// The name in lower case.
        var header: (name: [UInt8], value: Glob)?
        var tenant: UInt64?
        var priority: Priority?
        var highest: Priority
    }

    /// What is asked of a request; `header` gives a line's value by its name in lower case.
    package struct Subject {
        /// As the client wrote it, without the query.
        var path: BytesView
        /// nil: not known.
        var model: String?
        var tenant: UInt64?
        var header: ([UInt8]) -> BytesView?

        package init(path: BytesView, model: String?, tenant: UInt64?, header: @escaping ([UInt8]) -> BytesView?) {
            self.path = path.withoutVersion
            self.model = model
            self.tenant = tenant
            self.header = header
        }
    }

    private let rules: [Rule]
    private let highest: Priority

    package init(_ limits: Settings.Limits) {
        highest = limits.highestPriority
        rules = limits.priorities.map { Rule($0, otherwise: limits.highestPriority) }
    }

    /// `claimed` is what the client says with `x-refrain-priority`. What goes beyond what it may say counts as that.
    package func priority(claimed: Priority?, of subject: @autoclosure () -> Subject) -> Priority {
        guard !rules.isEmpty else { return max(claimed ?? .standard, highest) }
        let subject = subject()
        guard let rule = rules.first(where: { $0.fits(subject) }) else { return max(claimed ?? .standard, highest) }
        if let claimed { return max(claimed, rule.highest) }
        // The operator's own word has no limit.
        return rule.priority ?? max(.standard, rule.highest)
    }
}

extension PriorityRules.Rule {
    fileprivate init(_ rule: Settings.PriorityRule, otherwise highest: Priority) {
        path = rule.path.isEmpty ? nil : Glob(rule.path)
        model = rule.model.isEmpty ? nil : Glob(rule.model)
        if let equals = rule.header.firstIndex(of: "=") {
            header = (
                Array(rule.header[..<equals].lowercased().utf8),
                Glob(String(rule.header[rule.header.index(after: equals)...]))
            )
        }
        tenant = rule.tenant.isEmpty ? nil : UInt64(rule.tenant, radix: 16)
        priority = rule.priority
        self.highest = rule.highest ?? highest
    }

    fileprivate func fits(_ subject: PriorityRules.Subject) -> Bool {
        if let tenant, tenant != subject.tenant { return false }
        if let path, !path.matches(subject.path) { return false }
        if let model {
            guard let name = subject.model, model.matches(name) else { return false }
        }
        if let header {
            guard let value = subject.header(header.name), header.value.matches(value.trimmed) else { return false }
        }
        return true
    }
}

extension BytesView {
    /// A path with or without `/v1` before it means the same.
    fileprivate var withoutVersion: BytesView {
        guard count > 3, self[0] == 47, self[1] == 118, self[2] == 49, self[3] == 47 else { return self }
        return UnsafeRawBufferPointer(rebasing: self[3...])
    }
}
