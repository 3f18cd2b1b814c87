import Core
import Dialects
import Foreign
import Matrix
import Semantic

/// Texts with their vectors as a file, so that each is encoded once however often it is judged.
///
/// Little-endian, for each text: tokens (0 where it does not fit), unknown tokens, ids, the vector, a scale for each
/// token, the bytes of each token's vector.
struct EncodedFile {
    let width: Int
    private(set) var texts: [StoredText?] = []

    static func write(_ texts: [String], model: String, to stream: Console.Stream) throws {
        let encoder = try Encoder(
            folder: ModelDirectory(path: model), kernels: try DNNLKernels(precision: nil), checksum: XXH3Checksum())
        let pass = try encoder.makePass(tokens: encoder.window)
        for text in texts {
            var record: [UInt8] = []
            guard let tokens = encoder.tokenize(encoder.wording(text)) else {
                Console.write([UInt8](repeating: 0, count: 8), to: stream)
                continue
            }
            let encoded = try encoder.encode([(tokens, true)], pass)[0]
            let rows = TokenRows(width: encoder.width, vectors: encoded.tokenVectors ?? [])
            append([Int32(tokens.ids.count), Int32(tokens.unknown)], to: &record)
            append(tokens.ids, to: &record)
            append(encoded.vector, to: &record)
            append(rows.scales, to: &record)
            append(rows.bytes, to: &record)
            Console.write(record, to: stream)
        }
    }

    private static func append<Number>(_ numbers: [Number], to bytes: inout [UInt8]) {
        numbers.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    init(_ path: String, width: Int) throws {
        self.width = width
        let bytes = try InputFile.read(path, limit: 4 << 30)
        var at = 0
        func take<Number>(_ count: Int, _: Number.Type) -> [Number] {
            let size = count * MemoryLayout<Number>.stride
            defer { at += size }
            return bytes[at..<at + size].withUnsafeBytes { source in
                [Number](unsafeUninitializedCapacity: count) { target, filled in
                    UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                    filled = count
                }
            }
        }
        while at < bytes.count {
            let head = take(2, Int32.self)
            let count = Int(head[0])
            guard count > 0 else {
                texts.append(nil)
                continue
            }
            let ids = take(count, Int32.self)
            let vector = take(width, Float.self)
            let scales = take(count, Float.self)
            let rows = TokenRows(width: width, bytes: take(count * width, Int8.self), scales: scales)
            texts.append(
                StoredText(vector: vector, rows: rows, tokens: TokenizedText(ids: ids, unknown: Int(head[1]))))
        }
    }
}

/// A text as a cache would keep it.
struct StoredText {
    let vector: [Float]
    let rows: TokenRows
    let tokens: TokenizedText
}
