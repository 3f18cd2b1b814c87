import Core
import Foreign
import Matrix
import TestKit
import Testing

@Suite struct MatrixTests {
    /// In units of the root of the number of inputs: what rounding to eight bits of fraction, or to 255 steps, costs.
    private static let tolerances: [(MatrixPrecision, Float)] = [(.fp32, 1e-5), (.bf16, 3e-2), (.int8, 3e-2)]

    @Test(arguments: [(1, 8, 8), (3, 16, 24), (4, 24, 16), (63, 40, 48), (64, 48, 40), (65, 384, 8), (130, 8, 72)])
    func layersAreComputedAsInPlainLoops(rows: Int, inputs: Int, outputs: Int) throws {
        var random = SeededRandom(seed: Seed.given)
        func numbers(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
            (0..<count).map { _ in Float.random(in: range, using: &random) }
        }
        let precisions = try DNNLKernels.precisions
        for end in [DenseLayer.End.plain, .gelu, .accumulate] {
            let layer = DenseLayer(
                inputs: inputs, outputs: outputs, weights: numbers(inputs * outputs), bias: numbers(outputs), end: end,
                expected: .init(means: numbers(inputs), deviations: numbers(inputs, 0.2...1)))
            let input = numbers(MatrixRows.padded(rows) * inputs)
            let before = numbers(MatrixRows.padded(rows) * outputs)
            let expected = try run(PlainKernels(), layer, input, before, rows)
            for (precision, tolerance) in Self.tolerances where precisions.contains(precision) {
                let got = try run(try DNNLKernels(precision: precision), layer, input, before, rows)
                let limit = tolerance * Float(inputs).squareRoot()
                let worst = (0..<rows * outputs).map { abs(expected[$0] - got[$0]) }.max() ?? 0
                #expect(worst <= limit, "\(precision) \(end) seed \(Seed.given)")
            }
        }
    }

    /// Zeros, equal numbers, huge and tiny ones, columns that no weight looks at: bytes for all of them.
    @Test(arguments: [
        [Float](repeating: 0, count: 16), [Float](repeating: 5, count: 16), [Float](repeating: -3, count: 16),
        (0..<16).map { Float($0) * 1e6 }, (0..<16).map { Float($0) * 1e-35 }, [1e30] + [Float](repeating: 1, count: 15),
    ])
    func bytesHoldAnyRow(row: [Float]) throws {
        var weights = (0..<128).map { Float($0 % 7) - 3 }
        for output in 0..<8 { weights[output * 16 + 3] = 0 }
        let layer = DenseLayer(
            inputs: 16, outputs: 8, weights: weights, bias: Array(repeating: 1, count: 8), end: .plain,
            expected: .init(means: Array(repeating: 0, count: 16), deviations: (0..<16).map { Float($0) / 8 }))
        let input = (0..<4).flatMap { _ in row }
        let before = [Float](repeating: 0, count: 32)
        let expected = try run(PlainKernels(), layer, input, before, 1)
        let got = try run(try DNNLKernels(), layer, input, before, 1)
        let scale = (row.map(abs).max() ?? 0) * 16 * 3 + 1
        for index in 0..<8 {
            #expect(got[index].isFinite && abs(got[index] - expected[index]) <= 0.1 * scale)
        }
    }

    /// Rows and columns that fill no vector, one row alone, scores so far apart that all but one vanish.
    @Test(
        arguments: [(1, 8), (2, 12), (4, 16), (7, 32), (16, 32), (17, 64), (40, 20), (66, 96), (130, 32)], [0.2, 60])
    func attentionIsComputedAsInPlainLoops(size: (rows: Int, depth: Int), scale: Float) throws {
        var random = SeededRandom(seed: Seed.given)
        let (rows, depth) = size
        let stride = depth + 3
        let numbers = (0..<3 * rows * stride).map { _ in Float.random(in: -1...1, using: &random) }
        let before = (0..<rows * stride).map { _ in Float.random(in: -1...1, using: &random) }
        let results = try [PlainKernels() as any MatrixKernels, try DNNLKernels()].map { kernels in
            let workspace = try kernels.workspace(AttentionShape(window: 130, depth: depth))
            var output = before
            try numbers.withUnsafeBufferPointer { numbers in
                let start = try #require(numbers.baseAddress)
                try output.withUnsafeMutableBufferPointer { output in
                    try workspace.attend(
                        queries: start, keys: start + rows * stride, values: start + 2 * rows * stride, stride: stride,
                        rows: rows, scale: scale, into: #require(output.baseAddress))
                }
            }
            return output
        }
        for index in before.indices {
            // Scores are rounded in proportion to their size.
            #expect(abs(results[0][index] - results[1][index]) < 2e-5 * max(1, scale), "\(index) seed \(Seed.given)")
            if index % stride >= depth { #expect(results[1][index] == before[index]) }
        }
    }

    @Test func aTextLongerThanTheWorkspaceIsRefused() throws {
        let workspace = try DNNLKernels().workspace(AttentionShape(window: 2, depth: 8))
        var numbers = [Float](repeating: 0, count: 24)
        try numbers.withUnsafeMutableBufferPointer { numbers in
            let start = try #require(numbers.baseAddress)
            #expect(throws: MatrixFault.self) {
                try workspace.attend(
                    queries: start, keys: start, values: start, stride: 8, rows: 3, scale: 1, into: start)
            }
        }
    }

    @Test func aLayerOfAnotherSizeIsRefused() throws {
        #expect(throws: MatrixFault.self) {
            try DNNLKernels().layer(DenseLayer(inputs: 8, outputs: 8, weights: [1], bias: [1], end: .plain))
        }
    }

    @Test func aMissingLibraryIsNamedWithItsPackage() {
        #expect {
            try DNNLKernels(precision: nil, library: "libdnnl-of-no-system.so.2")
        } throws: { error in
            "\(error)".contains("libdnnl-of-no-system.so.2: cannot open") && "\(error)".contains("package libdnnl2")
        }
    }

    @Test func aLibraryWithoutTheFunctionsIsRefused() {
        #expect {
            try DNNLKernels(precision: nil, library: "libc.so.6")
        } throws: { error in
            "\(error)".contains("dnnl_get_effective_cpu_isa")
        }
    }

    private func run(
        _ kernels: some MatrixKernels, _ layer: DenseLayer, _ input: [Float], _ before: [Float], _ rows: Int
    ) throws -> [Float] {
        let made = try kernels.layer(layer)
        let workspace = try kernels.workspace(AttentionShape(window: 1, depth: 8))
        var output = before
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try workspace.apply(
                    made, to: #require(input.baseAddress), rows: rows, into: #require(output.baseAddress))
            }
        }
        return output
    }
}
