import Core
import TestKit
import Testing

@testable import Engine

/// What the operator's rules make of a request.
@Suite struct PolicyTests {
    private struct Request {
        var path = "/v1/chat/completions"
        var model: String? = "gpt-4o"
        var tenant: UInt64? = 7
        var headers: [String: String] = [:]
        var claimed: Priority?
    }

    private func rule(_ change: (inout Settings.PriorityRule) -> Void) -> Settings.PriorityRule {
        var rule = Settings.PriorityRule()
        change(&rule)
        return rule
    }

    private func priority(
        _ request: Request, highest: Priority = .interactive, _ rules: [Settings.PriorityRule] = []
    ) -> Priority {
        var limits = Settings.Limits()
        limits.highestPriority = highest
        limits.priorities = rules
        let (path, values) = (Bytes(request.path), request.headers.mapValues { Bytes($0) })
        return withExtendedLifetime((path, values)) {
            PriorityRules(limits).priority(
                claimed: request.claimed,
                of: PriorityRules.Subject(
                    path: path.withUnsafeBytes { $0 }, model: request.model, tenant: request.tenant,
                    header: { values[String(decoding: $0, as: UTF8.self)]?.withUnsafeBytes { $0 } }))
        }
    }

    @Test(
        "without rules the client's word counts, up to what clients may say",
        arguments: [
            (nil, Priority.interactive, Priority.standard), (.interactive, .interactive, .interactive),
            (.batch, .interactive, .batch), (.interactive, .standard, .standard), (nil, .batch, .batch),
            (.batch, .standard, .batch), (.interactive, .batch, .batch),
        ] as [(Priority?, Priority, Priority)])
    func claims(claimed: Priority?, highest: Priority, expected: Priority) {
        #expect(priority(Request(claimed: claimed), highest: highest) == expected)
    }

    @Test("a rule holds for what fits all that it names") func conditions() {
        let all = rule {
            $0.path = "/chat/*"
            $0.model = "gpt-4*"
            $0.header = "X-Team=search*"
            $0.tenant = "0000000000000007"
            $0.priority = .batch
        }
        let right = Request(headers: ["x-team": " search-2 "])
        #expect(priority(right, [all]) == .batch)
        var wrong = right
        wrong.path = "/v1/embeddings"
        #expect(priority(wrong, [all]) == .standard)
        wrong = right
        wrong.model = "gpt-3"
        #expect(priority(wrong, [all]) == .standard)
        wrong.model = nil
        #expect(priority(wrong, [all]) == .standard)
        wrong = right
        wrong.headers = [:]
        #expect(priority(wrong, [all]) == .standard)
        wrong.headers = ["x-team": "research"]
        #expect(priority(wrong, [all]) == .standard)
        wrong = right
        wrong.tenant = nil
        #expect(priority(wrong, [all]) == .standard)
        wrong = right
        wrong.path = "/chat/completions"
        #expect(priority(wrong, [all]) == .batch, "the version before a path says nothing")
    }

    @Test("the first rule that fits holds") func order() {
        let rules = [
            rule { ($0.model, $0.priority) = ("gpt-4o", .interactive) },
            rule { ($0.model, $0.priority) = ("*", .batch) },
        ]
        #expect(priority(Request(), rules) == .interactive)
        #expect(priority(Request(model: "other"), rules) == .batch)
        #expect(priority(Request(model: nil), rules) == .standard)
    }

    @Test(
        "a client cannot say more than its rule allows",
        arguments: [
            // claimed, the rule's own, the rule's highest, everybody's highest, expected
            (.interactive, nil, nil, .standard, .standard), (.interactive, nil, .interactive, .standard, .interactive),
            (.interactive, .batch, .batch, .interactive, .batch),
            (.batch, .interactive, .interactive, .interactive, .batch),
            (nil, .interactive, .batch, .batch, .interactive), (nil, nil, .batch, .interactive, .batch),
            (nil, nil, nil, .interactive, .standard),
        ] as [(Priority?, Priority?, Priority?, Priority, Priority)])
    func caps(claimed: Priority?, own: Priority?, most: Priority?, highest: Priority, expected: Priority) {
        let rule = rule { ($0.priority, $0.highest) = (own, most) }
        #expect(priority(Request(claimed: claimed), highest: highest, [rule]) == expected)
    }

    @Test(
        "another model answers where rule and request allow it",
        arguments: [
            ("big", nil, Settings.FallbackUse.asked, nil), ("big", true, .asked, "small"), ("big", false, .asked, nil),
            ("big", nil, .always, "small"), ("big", false, .always, nil), ("big-2024", true, .asked, "smaller"),
            ("other", true, .always, nil), ("small", true, .always, nil), ("smaller", true, .always, "small"),
        ] as [(String, Bool?, Settings.FallbackUse, String?)])
    func fallback(model: String, isAllowed: Bool?, use: Settings.FallbackUse, expected: String?) {
        var limits = Settings.Limits()
        limits.fallback = use
        limits.fallbacks = [("big", "small"), ("big*", "smaller"), ("small*", "small"), ("small*", "smaller")].map {
            pair in
            var rule = Settings.Fallback()
            (rule.model, rule.to) = pair
            return rule
        }
        #expect(FallbackRules(limits).model(insteadOf: model, isAllowed: isAllowed) == expected)
    }

    @Test("only a model that could not answer invites another") func invitation() {
        func head(_ status: Int) -> UpstreamHead { UpstreamHead(status: status, headers: []) }
        func failed(_ kind: UpstreamFailure.Kind) -> Reply { .failed(UpstreamFailure(kind, ""), .miss) }
        for kind in UpstreamFailure.Kind.allCases {
            #expect(failed(kind).invitesFallback == ![.cancelled, .shutdown, .unsendable].contains(kind), "\(kind)")
        }
        for reason in ShedReason.allCases {
            let reply = Reply.failed(UpstreamFailure(shed: reason, retryAfter: 0), .miss)
            #expect(reply.invitesFallback == (reason != .tenantLimit), "\(reason)")
        }
        for (status, invites) in [(200, false), (400, false), (401, false), (429, true), (500, true), (503, true)] {
            #expect(Reply.whole(head(status), .empty, .miss, .status).invitesFallback == invites)
            #expect(Reply.whole(head(status), .empty, .coalesced, .status).invitesFallback == invites)
            #expect(!Reply.whole(head(status), .empty, .bypass(.notJSON), .status).invitesFallback)
        }
        #expect(!Reply.failed(UpstreamFailure(.connect, ""), .bypass(.endpoint)).invitesFallback)
        #expect(!Reply.notCached.invitesFallback)
        #expect(!Reply.notCached.isAnswer && !failed(.connect).isAnswer)
        #expect(Reply.whole(head(200), .empty, .miss, .finishReason).isAnswer)
        #expect(!Reply.whole(head(503), .empty, .miss, .status).isAnswer)
    }
}
