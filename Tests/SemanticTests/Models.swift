import Core
import Dialects
import Foreign
import Foundation
import Matrix
import Semantic
import TestKit
import Testing

/// The model that `config/model.sh` fetches.
enum Models {
    static let miniLM: ModelDirectory = {
        let folder =
            ProcessInfo.processInfo.environment["REFRAIN_MODEL"] ?? "~/.cache/refrain/models/all-MiniLM-L6-v2"
        return ModelDirectory(path: folder)
    }()

    static let encoder = Result { () throws(ModelFault) in
        try Encoder(folder: miniLM, kernels: try kernels(nil), checksum: XXH3Checksum())
    }
    static let exactEncoder = Result { () throws(ModelFault) in
        try Encoder(folder: miniLM, kernels: try kernels(.fp32), checksum: XXH3Checksum())
    }

    static func tiny(_ folder: MemoryModel, _ kernels: (any MatrixKernels)? = nil) throws(ModelFault) -> Encoder {
        try Encoder(folder: folder, kernels: kernels ?? PlainKernels(), checksum: XXH3Checksum())
    }

    static func kernels(_ precision: MatrixPrecision?) throws(ModelFault) -> DNNLKernels {
        do throws(MatrixFault) {
            return try DNNLKernels(precision: precision)
        } catch {
            throw ModelFault("", "\(error)")
        }
    }

    static func fixture(_ name: String) throws -> [JSONValue] {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONValue.parse(String($0)) }
    }
}

/// `REFRAIN_SEED` says which random inputs.
enum Seed {
    static let given = ProcessInfo.processInfo.environment["REFRAIN_SEED"].flatMap(UInt64.init) ?? 1
}

extension JSONValue {
    var ids: [Int32] { elements?.compactMap { $0.integer.map(Int32.init) } ?? [] }
    var floats: [Float] {
        elements?.compactMap { element in
            if case .number(let spelling) = element { Float(spelling) } else { nil }
        } ?? []
    }
}

func cosine(_ a: [Float], _ b: [Float]) -> Double {
    var (dot, lengthA, lengthB) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
        dot += Double(x) * Double(y)
        lengthA += Double(x) * Double(x)
        lengthB += Double(y) * Double(y)
    }
    return dot / (lengthA * lengthB).squareRoot()
}
