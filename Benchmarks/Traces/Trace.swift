import FoundationEssentials

/// A sequence of requests, with the size of each answer where the source knows it.
struct Trace {
    let name: String
    /// One number a distinct key, from 0 on.
    let requests: [Int]
    /// The size of each request's answer in bytes, empty where unknown.
    let sizes: [Int]
    let distinct: Int

    private init(name: String, keys: [Substring], sizes: [Int] = []) {
        self.name = name
        var numbers: [Substring: Int] = [:]
        var requests: [Int] = []
        requests.reserveCapacity(keys.count)
        for key in keys {
            let number = numbers[key] ?? numbers.count
            numbers[key] = number
            requests.append(number)
        }
        self.requests = requests
        self.sizes = sizes
        distinct = numbers.count
    }

    /// Lines of `key` or `key size`.
    static func keyed(_ name: String, in file: String) throws(TraceError) -> Trace {
        var keys: [Substring] = []
        var sizes: [Int] = []
        for line in try lines(of: file) {
            let fields = line.split(separator: " ")
            guard let key = fields.first else { continue }
            keys.append(key)
            guard fields.count > 1 else { continue }
            guard let size = Int(fields[1]), size >= 0 else { throw TraceError("\(file): no size in \"\(line)\"") }
            sizes.append(size)
        }
        guard sizes.isEmpty || sizes.count == keys.count else { throw TraceError("\(file): some lines have no size") }
        return Trace(name: name, keys: keys, sizes: sizes)
    }

    /// A prompt log's companion: JSON lines whose member `k` names the content.
    static func promptLog(_ name: String, in file: String) throws(TraceError) -> Trace {
        var keys: [Substring] = []
        for line in try lines(of: file) {
            guard let record = try? JSONDecoder().decode(PromptRecord.self, from: Data(line.utf8)) else {
                throw TraceError("\(file): cannot read \"\(line)\"")
            }
            keys.append(Substring(String(record.k)))
        }
        return Trace(name: name, keys: keys)
    }

    private struct PromptRecord: Decodable {
        let k: Int
    }

    private static func lines(of file: String) throws(TraceError) -> [Substring] {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw TraceError("\(file): cannot be read")
        }
        return text.split(separator: "\n")
    }
}

/// What is wrong with a trace file, for people.
struct TraceError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}
