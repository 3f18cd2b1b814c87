import Core
import Dialects
import Tiers

/// Answers of requests that mean the same.
extension Engine {
    /// The answer that the same wording got before, without comparing texts again.
    func aliased(_ call: Call, _ ports: Ports) async -> Found? {
        let key = call.admitted.key
        guard let meaning, meaning.isServing, let open = call.question, let alias = meaning.aliases.find(key),
            suits(alias.match, call)
        else { return nil }
        let standing = meaning.matcher.standing(of: alias.match, for: key)
        guard standing != .ended else {
            meaning.aliases.remove(key)
            return nil
        }
        switch await fetch(alias.match, for: call.admitted, ports) {
        case .found(let found):
            guard found.entry.facts.createdAt == alias.createdAt else { break }
            guard standing == .stands || call.admitted.controls.onlyIfCached else {
                compare(found, alias.match, open, ports)
                return nil
            }
            ports.metrics.countSemantic(.alias)
            return found
        case .unsuitable, .unreachable: return nil
        case .gone: meaning.matcher.forget(alias.match.key)
        }
        meaning.aliases.remove(key)
        return nil
    }

    /// Has the model asked in spite of a match, and its answer compared.
    private func compare(_ found: Found, _ match: SemanticMatch, _ open: OpenQuestion, _ ports: Ports) {
        open.rival = OpenQuestion.Rival(entry: found.entry, match: match, ports: ports)
        ports.metrics.countSemantic(.compared)
    }

    /// The answer of a question that means the same; nil where the model is to be asked.
    func neighbour(of call: Call, _ ports: Ports) async -> Found? {
        guard let meaning, let open = call.question, call.wantsAnyAnswer, open.rival == nil else { return nil }
        let key = call.admitted.key
        let threshold = call.admitted.controls.semanticThreshold
        let started = clock.monotonic()
        let finding = await meaning.matcher.match(open.question, under: key, threshold: threshold?.value)
        ports.metrics.countSemanticDuration(nanoseconds: clock.monotonic() - started)
        open.reading = finding.reading
        func note(_ candidate: SemanticCandidate, _ lookup: SemanticLookup) {
            meaning.recentPairs.note(key, open.question.text, candidate, lookup, time: clock.wall())
            ports.metrics.countSemantic(lookup)
        }
        var isOutOfReach = false
        for candidate in finding.accepted {
            let match = candidate.match
            switch await fetch(match, for: call.admitted, ports) {
            case .gone: meaning.matcher.forget(match.key)
            case .unreachable: isOutOfReach = true
            case .unsuitable: break
            case .found(var found):
                found.match?.isByThreshold = threshold != nil
                // Who wants no answer of the model's gets none to compare with.
                guard meaning.isServing, !finding.explores || call.admitted.controls.onlyIfCached else {
                    compare(found, match, open, ports)
                    meaning.recentPairs.note(key, open.question.text, candidate, .compared, time: clock.wall())
                    return nil
                }
                // What one request allowed itself is not what others want.
                if threshold == nil {
                    meaning.aliases.insert(
                        AliasTable.Alias(match: match, createdAt: found.entry.facts.createdAt), under: key)
                }
                note(candidate, .served)
                return found
            }
        }
        let lookup: SemanticLookup =
            finding.result == .accepted ? isOutOfReach ? .unreachable : .gone : SemanticLookup(finding.result)
        guard let nearest = finding.candidates.first else {
            ports.metrics.countSemantic(lookup)
            return nil
        }
        note(nearest, lookup)
        if lookup == .rejected, let objection = nearest.objections.first,
            let refusal = SemanticRefusal(rawValue: objection.word)
        {
            ports.metrics.countRejection(refusal)
        }
        return nil
    }

    /// Whether a request may have what another one was content with.
    func suits(_ match: SemanticMatch, _ call: Call) -> Bool {
        guard call.question != nil, call.wantsAnyAnswer else { return false }
        // What another one allowed itself is not what this one wants.
        guard let threshold = call.admitted.controls.semanticThreshold else { return !match.isByThreshold }
        return match.similarity >= threshold.value
    }

    private enum Fetched {
        case found(Found)
        /// It is there, and not for this request: too old for it, or not in its form.
        case unsuitable
        case gone
        /// A tier that may hold it could not be asked.
        case unreachable
    }

    private func fetch(_ match: SemanticMatch, for wanted: Admitted, _ ports: Ports) async -> Fetched {
        var theirs = wanted
        theirs.key = match.key
        let held = memory.lookup(match.key, now: clock.wall())
        var lookup = held.map { judge($0, for: theirs) } ?? .nothing
        var isCertain = true
        if case .fresh = lookup {} else { (lookup, isCertain) = await searchBelow(theirs, ports) }
        guard case .fresh(var found) = lookup else {
            if case .stale(let found) = lookup, found.lifetime > 0 { return .unsuitable }
            if let held, held.facts.expiresAt > clock.wall() { return .unsuitable }
            // What memory gave up may be on its way to a tier still.
            return isCertain && fill?.holds(match.key) != true ? .gone : .unreachable
        }
        // The partition says so already; but nothing is to go to another tenant, whatever goes wrong before here.
        guard found.entry.facts.tenant == wanted.tenant.word0 else { return .unsuitable }
        found.match = match
        return .found(found)
    }

    // MARK: What the model answered

    /// Remembers that an entry answers the question of a call. `isNew`: the model has just made it, for this sidecar; an
    /// answer that is found in a lower tier may be older than the sidecar, or of one that nobody hears of any more.
    func remember(_ entry: Entry, of call: Call, isNew: Bool) {
        guard let meaning, let open = call.question else { return }
        let key = call.admitted.key
        let facts = SemanticFacts(entry)
        meaning.matcher.learn(open.question, reading: open.reading, under: key, facts, isNew: isNew) { [purges] in
            !purges.covers(facts, under: key)
        }
    }

    /// Remembers what a question was answered with, or compares the answer with what would have been served.
    func learn(_ entry: Entry, of call: Call, isKept: Bool) {
        guard let meaning, let open = call.question else { return }
        let key = call.admitted.key
        let remember: @Sendable () -> Void = { [self] in
            if isKept { self.remember(entry, of: call, isNew: true) }
        }
        guard let rival = open.rival else { return remember() }
        Task.detached(executorPreference: executor) {
            func observe(_ agreement: SemanticAgreement, _ witness: SemanticWitness) {
                meaning.observe(rival.match, for: key, isRight: agreement == .right, by: witness)
            }
            guard let own = entry.spokenText, let other = rival.entry.spokenText else { return remember() }
            if own.utf8.elementsEqual(other.utf8) { return observe(.right, .comparison) }
            let agreement = await meaning.matcher.agreement(own, other)
            // What the other answer stands for as well is found through it.
            if agreement != .right { remember() }
            // One pair of answers is one observation, by the one who knows best.
            let verdict =
                await meaning.judge?.agreement(
                    on: open.question.text, after: call.priorConversation, own, other, rival.ports) ?? .unclear
            if verdict != .unclear { return observe(verdict, .judge) }
            if agreement != .unclear { observe(agreement, .comparison) }
        }
    }
}

extension Engine.Call {
    /// Who fetches an answer anew, or fills the cache, wants this request's own.
    fileprivate var wantsAnyAnswer: Bool { !isRefresh && !admitted.controls.isWarming }

    fileprivate var priorConversation: PriorConversation {
        let body = if case .bytes(let bytes) = upstream.body { bytes } else { Bytes("") }
        return body.withUnsafeBytes { PriorConversation($0, dialect: admitted.dialect) }
    }
}

extension Entry {
    /// What the answer says, nil where that cannot be told.
    fileprivate var spokenText: String? {
        guard let entry = has(.whole) ? self : withBothForms(), let content = entry.content(.whole) else { return nil }
        return answerText(of: content, dialect: facts.dialect)
    }
}

extension SemanticLookup {
    fileprivate init(_ result: SemanticResult) {
        switch result {
        case .accepted: self = .served
        case .rejected: self = .rejected
        case .none: self = .none
        case .tooLong: self = .tooLong
        case .late: self = .late
        case .busy: self = .busy
        case .failed: self = .failed
        }
    }
}
