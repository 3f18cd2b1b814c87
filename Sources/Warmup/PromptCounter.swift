import Core
import Dialects

/// Counts the requests of logs by their canonical key, in bounded memory. Belongs to one thread.
package final class PromptCounter {
    package struct Options: Sendable {
        package var records = RecordReader.Options()
        /// Milliseconds since 1970: earlier requests are not counted. A line without a time is never too old.
        package var since: Int64?
        /// Milliseconds after which a request counts half; nil: all count the same.
        package var halfLife: Int64?
        /// Milliseconds since 1970: what claims to be later counts as if it came then, or one wrong clock would make all
        /// other requests weigh nothing.
        package var latest = Int64.max
        /// Counters of the sketch; up to so many different requests are counted exactly.
        package var capacity = 1 << 17
        /// Requests with fewer occurrences need no location.
        package var minCount = 1
        package var lineLimit = LineFramer.defaultLimit

        package init() {}
    }

    /// What was seen, in lines and requests.
    package struct Totals: Sendable, Equatable {
        package var bytes = 0
        package var lines = 0
        package var blank = 0
        /// Lines before `since`.
        package var old = 0
        /// Lines that were counted, by format, and those among them that say no time.
        package var byFormat: [LogFormat: Int] = [:]
        package var withoutTime = 0
        /// Requests that these lines stand for.
        package var requests = 0
    }

    package private(set) var sketch: HeavyHitters
    package private(set) var totals = Totals()
    package private(set) var unusable = LineTally<UnusableLine>()
    /// Keeps a line of a source that cannot be read again; nil where there is no room.
    package var keep: ((UnsafeRawBufferPointer) -> LineLocation?)?

    private let options: Options
    private let keyer: RequestKeyer
    private let records: RecordReader
    private var decay: Decay?
    private var lines = LineMemo(slots: 1 << 15)
    private var bodies = LineMemo(slots: 1 << 15)
    private var framer = LineFramer()
    private var source = 0
    private var isKept = false
    private var formatCounts = [Int](repeating: 0, count: LogFormat.allCases.count)

    package init(options: Options, digest: any Digesting) {
        self.options = options
        keyer = RequestKeyer(digest: digest)
        records = RecordReader(options: options.records)
        sketch = HeavyHitters(capacity: options.capacity)
        decay = options.halfLife.map { Decay(halfLife: $0) }
    }

    /// A file begins. Of one that cannot be read again, lines are given to `keep`.
    package func begin(source: Int, canBeReadAgain: Bool) {
        self.source = source
        isKept = !canBeReadAgain
        framer = LineFramer(limit: options.lineLimit)
    }

    package func feed(_ chunk: UnsafeRawBufferPointer) {
        totals.bytes += chunk.count
        framer.feed(chunk) { take($0) }
    }

    /// The file is over.
    package func end() {
        framer.finish { take($0) }
        for (format, count) in zip(LogFormat.allCases, formatCounts) where count > 0 { totals.byFormat[format] = count }
    }

    private func take(_ line: LineFramer.Line) {
        totals.lines += 1
        guard !line.isTooLong else { return refuse(.tooLong, line) }
        guard !line.bytes.isEmpty else {
            totals.blank += 1
            return
        }
        let hash = LineHash(line.bytes)
        if let found = lines.find(hash) { return count(found, line) }
        do throws(UnusableLine) {
            let record = try records.read(line.bytes)
            let found = LineMemo.Found(
                key: try key(of: record, in: line.bytes), dialect: record.dialect, format: record.format,
                time: record.time, count: record.count)
            lines.remember(found, hash)
            count(found, line)
        } catch {
            if line.bytes.allSatisfy({ $0 == 32 || $0 == 9 }) { totals.blank += 1 } else { refuse(error, line) }
        }
    }

    private func key(of record: LogRecord, in line: UnsafeRawBufferPointer) throws(UnusableLine) -> CacheKey {
        // A body that is the whole line was not met before, or the line would have been.
        if case .part(let range) = record.body, range.count == line.count {
            return try keyer.key(of: line, as: record.dialect)
        }
        let result: Result<CacheKey, UnusableLine> = records.withBody(of: record, in: line) { body in
            let hash = LineHash(body, seed: UInt64(record.dialect.rawValue) + 1)
            if let found = bodies.find(hash) { return .success(found.key) }
            do throws(UnusableLine) {
                let key = try keyer.key(of: body, as: record.dialect)
                bodies.remember(
                    LineMemo.Found(key: key, dialect: record.dialect, format: record.format, time: nil, count: 1), hash)
                return .success(key)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static let mostRequests = Int.max / 4

    private func count(_ found: LineMemo.Found, _ line: LineFramer.Line) {
        if let since = options.since, let time = found.time, time < since {
            totals.old += 1
            return
        }
        formatCounts[LogFormat.allCases.firstIndex(of: found.format) ?? 0] += 1
        if found.time == nil { totals.withoutTime += 1 }
        // A log may claim more requests than can be counted.
        let count = min(found.count, PromptCounter.mostRequests - totals.requests)
        totals.requests += count
        let weight =
            decay?.weight(at: found.time.map { min($0, options.latest) }, rescale: { sketch.scale(by: $0) }) ?? 1
        sketch.add(found.key, found.dialect, weight: weight * Double(count), count: count) { count in
            guard isKept else {
                return LineLocation(
                    source: UInt16(truncatingIfNeeded: source), offset: line.offset,
                    length: UInt32(truncatingIfNeeded: line.bytes.count))
            }
            return count >= options.minCount ? keep?(line.bytes) : nil
        }
    }

    private func refuse(_ reason: UnusableLine, _ line: LineFramer.Line) {
        unusable.add(reason, at: LinePlace(source: source, line: line.number))
    }
}

/// Makes the key that a request has whoever sends it. Belongs to one thread.
package final class RequestKeyer {
    private let reader = RequestReader(rules: RequestRules())
    private let digest: any Digesting
    private let scope = KeyScope(tenant: CacheKey(0, 0, 0, 0))

    package init(digest: any Digesting) { self.digest = digest }

    package func key(of body: UnsafeRawBufferPointer, as dialect: Dialect) throws(UnusableLine) -> CacheKey {
        do throws(BypassReason) {
            _ = try reader.read(body, as: dialect)
        } catch {
            throw .request(error)
        }
        return reader.key(scope: scope, dialect: dialect, digest: digest)
    }

    /// What the body says to Refrain, after the same checks.
    package func facts(of body: UnsafeRawBufferPointer, as dialect: Dialect) throws(UnusableLine) -> RequestFacts {
        do throws(BypassReason) {
            return try reader.read(body, as: dialect)
        } catch {
            throw .request(error)
        }
    }
}

/// Exponential weights by forward decay (Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009): a request weighs more the
/// later it came, relative to a landmark, so that nothing that was counted has to be touched as time goes by.
struct Decay {
    private let halfLife: Int64
    private var landmark: Int64?
    private var last: Int64 = 0
    /// Fractional powers of two: weights are exact to one part in a hundred.
    private let fractions: [Double]

    private static let steps = 64
    /// Weights are scaled down before they could overflow.
    private static let highest = 512

    /// Milliseconds, above zero.
    init(halfLife: Int64) {
        self.halfLife = halfLife
        let root = (0..<6).reduce(2.0) { value, _ in value.squareRoot() }
        fractions = (1..<Decay.steps).reduce(into: [1.0]) { powers, index in powers.append(powers[index - 1] * root) }
    }

    /// A line without a time is taken to follow the one before it. `rescale` is given the factor for what is held.
    mutating func weight(at time: Int64?, rescale: (Double) -> Void) -> Double {
        let time = time ?? last
        last = time
        let start = landmark ?? time
        landmark = start
        // In floating point, for a log may hold any number.
        let position = (Double(time) - Double(start)) / Double(halfLife) * Double(Decay.steps)
        let bounded = Int(max(-64_000, min(6_400_000_000_000, position)).rounded(.down))
        let exponent = bounded >> 6
        if exponent > Decay.highest {
            landmark = time
            rescale(exponent > 1_000 ? 0 : Double(sign: .plus, exponent: -exponent, significand: 1))
            return 1
        }
        return Double(sign: .plus, exponent: exponent, significand: fractions[bounded & (Decay.steps - 1)])
    }
}
