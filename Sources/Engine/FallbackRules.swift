import Core

/// Which other model may answer where one cannot.
package struct FallbackRules: Sendable {
    private let rules: [(model: Glob, to: String)]
    private let use: Settings.FallbackUse

    package init(_ limits: Settings.Limits) {
        rules = limits.fallbacks.map { (Glob($0.model), $0.to) }
        use = limits.fallback
    }

    /// The other model, where the request allows one; `isAllowed` is what it says itself.
    package func model(insteadOf model: String, isAllowed: Bool?) -> String? {
        guard isAllowed ?? (use == .always), let rule = rules.first(where: { $0.model.matches(model) }) else {
            return nil
        }
        return rule.to == model ? nil : rule.to
    }
}

extension Reply {
    /// Whether the model could not answer, so that another one may: nothing of an answer has reached the client.
    package var invitesFallback: Bool {
        switch self {
        case .failed(let failure, let outcome): outcome.kind != .bypass && failure.invitesFallback
        case .whole(let head, _, let outcome, _): outcome.kind != .bypass && (head.status == 429 || head.status >= 500)
        case .found, .complete, .live, .notCached: false
        }
    }

    /// Whether it is an answer to be glad of, where it comes from another model.
    package var isAnswer: Bool {
        switch self {
        case .found: true
        case .whole(let head, _, _, _), .complete(let head, _, _, _), .live(let head, _, _):
            (200..<300).contains(head.status)
        case .failed, .notCached: false
        }
    }
}

extension UpstreamFailure {
    fileprivate var invitesFallback: Bool {
        switch kind {
        case .connect, .resolve, .tls, .timeout, .reset, .malformed, .tooLarge: true
        // Who is over a limit of its own is so with every model.
        case .shed: shed != .tenantLimit
        case .cancelled, .shutdown, .unsendable: false
        }
    }
}
