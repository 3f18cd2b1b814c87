extension SettingsTable {
    static let semantic: [Setting<Settings>] = [
        .init(
            "semantic.mode", \.semantic.mode, .choice(of: Settings.SemanticMode.self),
            "Whether a request may be answered with the answer of another that means the same: off; shadow, which compares "
                + "what would be served with the real answers and serves nothing; or serve."),
        .init(
            "semantic.model", \.semantic.model, .path,
            "The folder of a sentence encoder of the BERT family, as Hugging Face has it. Empty: texts are compared by "
                + "their letters, as those are that the encoder cannot read."),
        .init(
            "semantic.maxError", \.semantic.maxError, .fraction(0...500_000),
            "How many of the answers that are served this way may be wrong."),
        .init(
            "semantic.threshold", \.semantic.threshold, .fraction(0...1_000_000),
            "Serves whatever is at least this similar and meets no objection, instead of keeping to `semantic.maxError`. "
                + "0: not."),
        .init(
            "semantic.endpoints", \.semantic.endpoints, WordListFormat<SemanticEndpoint>(),
            "For which requests. Embeddings are never matched."),
        .init(
            "semantic.neighbours", \.semantic.neighbours, .integer(1...64),
            "How many near questions are looked at."),
        .init(
            "semantic.exploration", \.semantic.exploration, .fraction(0...1_000_000),
            "Of the requests that could be served, how many are asked of the upstream all the same, to learn whether the "
                + "answer would have been right."),
        .init(
            "semantic.budget", \.semantic.budget, .duration(.milliseconds(1) ... .seconds(10)),
            "How long the search may take before the request goes on without it."),
        .init("semantic.threads", \.semantic.threads, .integer(1...64), "How many threads encode."),
        .init(
            "semantic.capacity", \.semantic.capacity, .size(ByteCount(bytes: 0) ... .gibibytes(1024)),
            "How much of `memory.capacity` questions may take. 0: an eighth."),
        .init(
            "semantic.snapshot", \.semantic.snapshot, .path,
            "The file in which a polite stop leaves the questions, so that the next start knows them; of use with a tier "
                + "that outlives the process. With `cache.encryptionKey` they are encrypted. Empty: none."),
        .init(
            "semantic.remote.url", \.semantic.remote.url, .optionalURL,
            "A server with OpenAI's `/v1/embeddings` that encodes texts instead of `semantic.model`. Empty: none."),
        .init(
            "semantic.remote.model", \.semantic.remote.model, modelOrNothing, "The name of its model."),
        .init("semantic.remote.key", \.semantic.remote.key, .secret, "Its API key. Empty: none."),
        .init(
            "semantic.remote.deadline", \.semantic.remote.deadline, .duration(.milliseconds(1) ... .seconds(60)),
            "How long it may take, which counts in place of `semantic.budget`."),
        .init(
            "semantic.judge.model", \.semantic.judge.model, modelOrNothing,
            "A model behind the upstreams that is asked whether an answer by meaning and the model's own say the same, where "
                + "both were compared and their texts differ. It costs calls. Empty: none."),
        .init(
            "semantic.judge.key", \.semantic.judge.key, .secret,
            "The credential of these calls; clients' ones are never used. Empty: that of the upstream."),
        .init(
            "semantic.judge.perHour", \.semantic.judge.perHour, .integer(1...100_000),
            "How many such calls are made in an hour, evenly."),
    ]

    private static let modelOrNothing = TextFormat(
        what: "the name of a model, or nothing", maxBytes: 256, allowsEmpty: true
    ) { $0 >= 32 && $0 != 127 }
}
