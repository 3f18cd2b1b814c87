/// Every metric there is. What each one means is declared once, in `MetricsTable`.
package enum MetricName: Int, Sendable, CaseIterable {
    case requests, requestDuration, responses, bypass, notStored, coalesced, savedTokens, savedCost
    case revalidations, revalidationsRunning, revalidationQueueDepth, fallbacks
    case tierLookups, tierDuration, tierBytes, tierCapacity, entries, evictions
    case tierFailures, tierWrites, breakerState
    case fillQueueDepth, fillQueueBytes, fillDropped
    case purges
    case warmRequests, warmRuns, warmPrompts, warmLastRun
    case upstreamRequests, upstreamDuration, upstreamInflight, upstreamLimit, upstreamLatency, upstreamRate,
        upstreamHealthy
    case queueDepth, shed, retries, hedges
    case semanticLookups, semanticDuration, encodeDuration, semanticRejections, semanticObservations
    case semanticJudgements, semanticAnnouncements, semanticErrors
    case semanticQuestions, semanticBytes, semanticCapacity, semanticTableBytes, semanticAliases
    case flights, inflightRequests, httpConnections, logDropped, accessLogDropped, spansDropped
    case workers, memoryLimit
    case buildInfo, processStartTime, processResidentMemory, processCPU
}

/// One metric: its name on the wire, type, unit, labels with their closed value sets, and what it means.
package struct Metric: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package struct Label: Sendable {
        package let name: String
        package let values: [String]
        /// What each value means; empty where the words explain themselves.
        package let sentences: [String]
        /// What other values it may have, which the settings name; empty where there are none.
        package let others: String

        /// `others` says where its values are from besides the closed set.
        init<Value: MetricLabelValue>(_ name: String, _ values: Value.Type, others: String = "") {
            self.name = name
            self.values = Value.allCases.map(\.labelWord)
            sentences = Value.allCases.compactMap(\.labelSentence)
            self.others = others
        }

        /// One whose values are all named by the settings.
        init(_ name: String, named others: String) {
            self.name = name
            values = []
            sentences = []
            self.others = others
        }
    }

    package let name: String
    package let kind: Kind
    package let unit: String
    package let labels: [Label]
    package let sentence: String
    /// What one of the counted steps is in the metric's unit.
    package let step: Double

    init(
        _ name: String, _ kind: Kind, _ unit: String, _ labels: [Label] = [], step: Double = 1, _ sentence: String
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.labels = labels
        self.sentence = sentence
        self.step = step
    }

    /// How many series of closed sets it has, histogram buckets not counted.
    package var seriesCount: Int { labels.reduce(1) { $0 * $1.values.count } }

    /// The label values of a series; the last label varies fastest.
    package func labelValues(of series: Int) -> [String] {
        var rest = series
        var values: [String] = []
        for label in labels.reversed() {
            values.append(label.values[rest % label.values.count])
            rest /= label.values.count
        }
        return values.reversed()
    }
}

package enum MetricsTable {
    package static let all: [Metric] = MetricName.allCases.map { describe($0) }

    package static subscript(name: MetricName) -> Metric { all[name.rawValue] }

    private static func describe(_ name: MetricName) -> Metric {
        switch name {
        case .requests, .requestDuration, .responses, .bypass, .notStored, .coalesced, .savedTokens, .savedCost:
            ofRequests(name)
        case .warmRequests, .warmRuns, .warmPrompts, .warmLastRun: ofWarming(name)
        case .tierLookups, .tierDuration, .tierBytes, .tierCapacity, .entries, .evictions, .purges: ofTiers(name)
        case .tierFailures, .tierWrites, .breakerState, .fillQueueDepth, .fillQueueBytes, .fillDropped:
            ofLowerTiers(name)
        case .semanticLookups, .semanticDuration, .encodeDuration, .semanticRejections, .semanticObservations,
            .semanticJudgements, .semanticAnnouncements, .semanticErrors, .semanticQuestions, .semanticBytes,
            .semanticCapacity,
            .semanticTableBytes,
            .semanticAliases:
            ofMeaning(name)
        case .revalidations, .revalidationsRunning, .revalidationQueueDepth, .fallbacks: ofSubstitutes(name)
        case .upstreamRequests, .upstreamDuration, .upstreamInflight, .upstreamLimit, .upstreamLatency, .upstreamRate,
            .upstreamHealthy, .queueDepth, .shed, .retries, .hedges:
            ofUpstreams(name)
        default: ofProcess(name)
        }
    }

    private static func ofMeaning(_ name: MetricName) -> Metric {
        switch name {
        case .semanticLookups:
            Metric(
                "refrain_semantic_lookups_total", .counter, "requests", [.init("result", SemanticLookup.self)],
                "Requests that might have been answered by meaning, by what came of it.")
        case .semanticDuration:
            Metric(
                "refrain_semantic_duration_seconds", .histogram, "seconds", [],
                "Time that the search for a question of the same meaning took, encoding included.")
        case .encodeDuration:
            Metric(
                "refrain_semantic_encode_duration_seconds", .histogram, "seconds", [],
                "Time from a text to its vector, the wait for a thread included.")
        case .semanticRejections:
            Metric(
                "refrain_semantic_rejections_total", .counter, "questions", [.init("guard", SemanticRefusal.self)],
                "Near questions that were not taken for the same, by the first objection.")
        case .semanticObservations:
            Metric(
                "refrain_semantic_observations_total", .counter, "matches",
                [.init("witness", SemanticWitness.self), .init("verdict", SemanticVerdict.self)],
                "Matches of which somebody knew whether they were right.")
        case .semanticJudgements:
            Metric(
                "refrain_semantic_judgements_total", .counter, "answers", [.init("result", JudgeResult.self)],
                "Answers by meaning that differ from the model's own, by what the judge said of them; 0 without one.")
        case .semanticErrors:
            Metric(
                "refrain_semantic_error_ratio", .gauge, "ratio",
                [.init("of", SemanticErrorShare.self), .init("bound", EstimateBound.self)],
                "Wrong answers by meaning, estimated by those that were compared with the model's own or judged.")
        case .semanticAnnouncements:
            Metric(
                "refrain_semantic_announcements_total", .counter, "announcements",
                [.init("result", AnnouncementResult.self)],
                "What other sidecars told of questions and of what came of them, by what was made of it.")
        case .semanticQuestions:
            Metric("refrain_semantic_questions", .gauge, "questions", [], "Questions that are remembered.")
        case .semanticBytes:
            Metric(
                "refrain_semantic_bytes", .gauge, "bytes", [], "Memory of the questions, out of `memory.capacity`.")
        case .semanticTableBytes:
            Metric(
                "refrain_semantic_table_bytes", .gauge, "bytes", [],
                "Memory beside the questions, bounded: observations, refused pairs, and what feedback may be about.")
        case .semanticCapacity:
            Metric("refrain_semantic_capacity_bytes", .gauge, "bytes", [], "Memory that they may take.")
        default:
            Metric(
                "refrain_semantic_aliases", .gauge, "requests", [],
                "Wordings that were answered by meaning and cost no encoding any more.")
        }
    }

    private static func ofRequests(_ name: MetricName) -> Metric {
        switch name {
        case .requests:
            Metric(
                "refrain_requests_total", .counter, "requests",
                [.init("endpoint", Endpoint.self), .init("outcome", Outcome.Kind.self)],
                "Requests answered, by what they were for and how they were answered.")
        case .requestDuration:
            Metric(
                "refrain_request_duration_seconds", .histogram, "seconds", [.init("outcome", Outcome.Kind.self)],
                "Time from a complete request to the end of its answer.")
        case .responses:
            Metric(
                "refrain_responses_total", .counter, "answers", [.init("class", StatusClass.self)],
                "The same requests, by the class of the HTTP status that they were answered with.")
        case .bypass:
            Metric(
                "refrain_bypass_total", .counter, "requests", [.init("reason", BypassReason.self)],
                "Requests passed on without looking at the cache, by reason.")
        case .notStored:
            Metric(
                "refrain_not_stored_total", .counter, "answers", [.init("reason", NotStored.self)],
                "Answers to cacheable requests that were not kept, by reason.")
        case .coalesced:
            Metric(
                "refrain_coalesced_total", .counter, "requests", [],
                "Requests that joined a call already under way instead of making their own.")
        case .savedCost:
            Metric(
                "refrain_saved_cost_usd_total", .counter, "US dollars", [], step: 1e-12,
                "What those tokens would have cost, by the setting `prices` and the list prices that are built in.")
        default:
            Metric(
                "refrain_saved_tokens_total", .counter, "tokens", [.init("kind", TokenKind.self)],
                "Tokens the upstream did not have to read or write, as counted by the kept answers.")
        }
    }

    private static func ofSubstitutes(_ name: MetricName) -> Metric {
        switch name {
        case .revalidations:
            Metric(
                "refrain_revalidations_total", .counter, "answers", [.init("result", RevalidationResult.self)],
                "Expired answers that were served while a fresh one was to be fetched, by what became of that.")
        case .revalidationsRunning:
            Metric(
                "refrain_revalidations_running", .gauge, "calls", [],
                "Fresh answers that are being fetched behind their clients' backs.")
        case .fallbacks:
            Metric(
                "refrain_fallbacks_total", .counter, "requests", [.init("result", FallbackResult.self)],
                "Requests whose model could not answer and that were put to another one, by how that ended.")
        default:
            Metric(
                "refrain_revalidation_queue_depth", .gauge, "answers", [],
                "Expired answers that wait to be fetched anew.")
        }
    }

    private static func ofTiers(_ name: MetricName) -> Metric {
        switch name {
        case .tierLookups:
            Metric(
                "refrain_tier_lookups_total", .counter, "look-ups",
                [.init("tier", TierName.self), .init("result", LookupResult.self)],
                "Look-ups in a tier, by what they found.")
        case .tierDuration:
            Metric(
                "refrain_tier_duration_seconds", .histogram, "seconds", [.init("tier", TierName.self)],
                "Time that a look-up in a lower tier took. Those in memory are not measured.")
        case .purges:
            Metric(
                "refrain_purges_total", .counter, "purges", [.init("group", PurgeGroup.Kind.self)],
                "Purges that this sidecar was told, by what they were about.")
        case .tierBytes:
            Metric(
                "refrain_tier_bytes", .gauge, "bytes", [.init("tier", TierName.self)],
                "Bytes a tier holds, keys and overhead included.")
        case .tierCapacity:
            Metric(
                "refrain_tier_capacity_bytes", .gauge, "bytes", [.init("tier", TierName.self)],
                "Bytes a tier may hold.")
        case .entries:
            Metric("refrain_entries", .gauge, "entries", [.init("tier", TierName.self)], "Answers a tier holds.")
        default:
            Metric(
                "refrain_evictions_total", .counter, "entries", [.init("reason", EvictionReason.self)],
                "Answers that left memory, by reason.")
        }
    }

    private static func ofWarming(_ name: MetricName) -> Metric {
        switch name {
        case .warmRequests:
            Metric(
                "refrain_warm_requests_total", .counter, "requests", [.init("outcome", Outcome.Kind.self)],
                "Requests of `refrain warm` and of scheduled warming. They count as nobody's elsewhere: not as requests, and "
                    + "not in what was saved.")
        case .warmRuns:
            Metric(
                "refrain_warm_runs_total", .counter, "runs", [.init("end", WarmRunEnd.self)],
                "Runs of scheduled warming, by how they ended.")
        case .warmPrompts:
            Metric(
                "refrain_warm_prompts_total", .counter, "prompts", [.init("result", WarmPromptResult.self)],
                "Prompts of scheduled warming, by what became of them.")
        default:
            Metric(
                "refrain_warm_last_run_timestamp_seconds", .gauge, "seconds", [],
                "When the last run of scheduled warming ended, in seconds since 1970; 0 before the first one.")
        }
    }

    private static func ofLowerTiers(_ name: MetricName) -> Metric {
        let tier = Metric.Label("tier", TierName.self)
        return switch name {
        case .tierFailures:
            Metric(
                "refrain_tier_failures_total", .counter, "calls", [tier],
                "Calls of a lower tier that failed: look-ups, writes and removals.")
        case .tierWrites:
            Metric(
                "refrain_tier_writes_total", .counter, "writes", [tier, .init("result", StoreResult.self)],
                "Writes to a lower tier, by how they ended.")
        case .breakerState:
            Metric(
                "refrain_breaker_state", .gauge, "",
                [.init("target", BreakerTarget.self, others: "the names of upstreams")],
                "Whether calls are kept away from what fails: 0 closed, all pass; 1 half-open, one tries; 2 open, none does."
            )
        case .fillQueueDepth:
            Metric(
                "refrain_fill_queue_depth", .gauge, "answers", [tier],
                "Answers that wait to be written to a lower tier.")
        case .fillQueueBytes:
            Metric(
                "refrain_fill_queue_bytes", .gauge, "bytes", [tier], "Memory of those that wait.")
        default:
            Metric(
                "refrain_fill_dropped_total", .counter, "answers", [tier, .init("reason", FillDrop.self)],
                "Answers that were not written to a lower tier, by reason.")
        }
    }

    private static func ofProcess(_ name: MetricName) -> Metric {
        switch name {
        case .flights:
            Metric("refrain_flights", .gauge, "calls", [], "Calls to the upstream whose answer others may join.")
        case .inflightRequests:
            Metric("refrain_inflight_requests", .gauge, "requests", [], "Requests that are being answered.")
        case .httpConnections:
            Metric("refrain_http_connections", .gauge, "connections", [], "Open connections to the data port.")
        case .logDropped:
            Metric(
                "refrain_log_dropped_total", .counter, "lines", [],
                "Log lines thrown away because they could not be written as fast as they came.")
        case .accessLogDropped:
            Metric(
                "refrain_access_log_dropped_total", .counter, "lines", [],
                "Lines that are missing in the access log: they came too fast, or the file could not be written.")
        case .spansDropped:
            Metric(
                "refrain_spans_dropped_total", .counter, "spans", [],
                "Spans that did not reach the collector: they came too fast, or it did not take them.")
        case .workers: Metric("refrain_workers", .gauge, "threads", [], "Threads that serve, one for a core.")
        case .memoryLimit:
            Metric(
                "refrain_memory_limit_bytes", .gauge, "bytes", [],
                "Memory that the process may use: what its control group has, or the machine.")
        case .buildInfo:
            Metric("refrain_build_info", .gauge, "", [], "Always 1; the label version says which build runs.")
        case .processStartTime:
            Metric(
                "process_start_time_seconds", .gauge, "seconds", [],
                "When the process started, in seconds since 1970.")
        case .processResidentMemory:
            Metric("process_resident_memory_bytes", .gauge, "bytes", [], "Memory that is resident.")
        default:
            Metric(
                "process_cpu_seconds_total", .counter, "seconds", [],
                "Processor time used, in user and system mode together.")
        }
    }
}
