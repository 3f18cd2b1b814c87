import Core
import Engine
import Foreign

/// A header value being written, ended by a zero byte for the C server; what does not fit is cut.
struct HeaderValue: ~Copyable {
    private var bytes = InlineArray<224, CChar>(repeating: 0)
    private var count = 0

    init() {}

    mutating func put(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { put(text.utf8Start[index]) }
    }

    mutating func put(_ text: String) { for byte in text.utf8 { put(byte) } }

    mutating func put(_ byte: UInt8) {
        guard count < 223 else { return }
        bytes[count] = CChar(bitPattern: byte)
        count += 1
    }

    mutating func put(_ number: Int64) {
        if number < 0 { put(UInt8(ascii: "-")) }
        var rest = number.magnitude
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var length = 0
        repeat {
            digits[length] = UInt8(48 + rest % 10)
            rest /= 10
            length += 1
        } while rest > 0
        while length > 0 {
            length -= 1
            put(digits[length])
        }
    }

    mutating func put(_ key: CacheKey) {
        put(hexadecimal: key.word0)
        put(hexadecimal: key.word1)
        put(hexadecimal: key.word2)
        put(hexadecimal: key.word3)
    }

    private mutating func put(hexadecimal word: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            put(Hex.digit(UInt8(truncatingIfNeeded: word &>> shift) & 15))
        }
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        // The last byte is never written, so there is always a zero.
        withUnsafePointer(to: bytes) {
            $0.withMemoryRebound(to: CChar.self, capacity: 224) { body($0) }
        }
    }
}

/// The headers with which Refrain says what it did: `Cache-Status` (RFC 9211), `Age` and `x-refrain-*`.
enum ResponseHeaders {
    /// For an answer out of the cache. `Age` and `ttl` are in seconds.
    static func add(found: Engine.Found, _ outcome: Outcome, key: CacheKey, to response: HTTPResponse) {
        var status = HeaderValue()
        // `hit` and `fwd` exclude each other (RFC 9211, section 2): a stale answer is told by its negative ttl.
        if outcome == .coalesced {
            status.put("refrain; fwd=uri-miss; collapsed; detail=")
        } else {
            status.put("refrain; hit; detail=")
        }
        status.put(found.tier.headerWord)
        status.put("; ttl=")
        status.put(found.lifetime >= 0 ? found.lifetime / 1000 : -((-found.lifetime + 999) / 1000))
        status.put("; key=\"")
        status.put(key)
        status.put(UInt8(ascii: "\""))
        _ = status.withCString { response.add("Cache-Status", $0) }
        var age = HeaderValue()
        age.put(found.age / 1000)
        _ = age.withCString { response.add("Age", $0) }
        response.add("x-refrain-cache", outcome.kind.headerWord)
        if outcome.tier != nil { response.add("x-refrain-tier", found.tier.headerWord) }
    }

    /// For another request's answer. Feedback names the number.
    static func add(_ match: SemanticMatch, number: UInt64, to response: HTTPResponse) {
        var similarity = HeaderValue()
        let shares = Int64((min(max(match.similarity, 0), 1) * 10_000).rounded())
        similarity.put(shares / 10_000)
        similarity.put(UInt8(ascii: "."))
        for divisor: Int64 in [1_000, 100, 10, 1] {
            similarity.put(UInt8(truncatingIfNeeded: 48 + shares / divisor % 10))
        }
        _ = similarity.withCString { response.add("x-refrain-similarity", $0) }
        response.add("x-refrain-request-id", Hex.text(number))
    }

    /// For an answer of the upstream. `isStored` nil: it is not known yet.
    static func add(
        forwarded outcome: Outcome, status code: Int?, isStored: Bool?, notStored: NotStored?, controls: Controls?,
        key: CacheKey?, to response: HTTPResponse
    ) {
        var status = HeaderValue()
        switch outcome {
        case .bypass(let reason):
            status.put("refrain; fwd=bypass; detail=")
            status.put(reason.word)
        default:
            status.put(controls?.noCache == true ? "refrain; fwd=request" : "refrain; fwd=uri-miss")
        }
        if let code {
            status.put("; fwd-status=")
            status.put(Int64(code))
        }
        if isStored == true { status.put("; stored") }
        if outcome == .coalesced { status.put("; collapsed") }
        if let notStored {
            status.put("; detail=not-stored-")
            status.put(notStored.word)
        }
        if let key {
            status.put("; key=\"")
            status.put(key)
            status.put(UInt8(ascii: "\""))
        }
        _ = status.withCString { response.add("Cache-Status", $0) }
        response.add("x-refrain-cache", outcome.kind.headerWord)
        if case .bypass(let reason) = outcome { response.add("x-refrain-reason", reason.word) }
    }

    /// When it is worth asking again; `delay` in nanoseconds, told in whole seconds, at least one.
    static func add(retryAfter delay: Int64, to response: HTTPResponse) {
        let second = Duration64.nanosecondsPerSecond
        var value = HeaderValue()
        value.put(max(1, (delay + second - 1) / second))
        _ = value.withCString { response.add("Retry-After", $0) }
    }

    /// The model that answered instead of the one that was asked for; empty where that one did.
    static func add(fallback model: String, to response: HTTPResponse) {
        if !model.isEmpty { response.add("x-refrain-fallback", model) }
    }

    /// The upstream's own lines, without those that describe its connection or claim to be ours.
    static func add(lines: [HeaderField], to response: HTTPResponse) {
        for line in lines where !isOurs(line) { response.add(line.name, line.value) }
    }

    private static func isOurs(_ line: HeaderField) -> Bool {
        line.isNamed("content-length") || line.hasName(beginningWith: "x-refrain-")
    }
}

extension TierName {
    var headerWord: StaticString {
        switch self {
        case .memory: "memory"
        case .redis: "redis"
        case .objects: "objects"
        }
    }
}

extension Outcome.Kind {
    var headerWord: StaticString {
        switch self {
        case .hit: "hit"
        case .semantic: "hit-semantic"
        case .stale: "stale"
        case .coalesced: "coalesced"
        case .miss: "miss"
        case .bypass: "bypass"
        }
    }
}

extension Form {
    var contentTypeWord: StaticString {
        switch self {
        case .whole: "application/json"
        case .stream: "text/event-stream; charset=utf-8"
        }
    }
}
