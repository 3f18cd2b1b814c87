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

    @Test(arguments: [1, 7, 8, 16, 17, 40, 128]) func softmaxIsComputedAsInPlainLoops(width: Int) throws {
        var random = SeededRandom(seed: Seed.given)
        let matrix = (0..<3 * width).map { _ in Float.random(in: -60...60, using: &random) }
        let expected = try softmax(PlainKernels(), matrix, width)
        let got = try softmax(try DNNLKernels(), matrix, width)
        for index in matrix.indices {
            #expect(abs(expected[index] - got[index]) < 1e-5, "at \(index), seed \(Seed.given)")
        }
    }

    @Test func productsAreComputedAsInPlainLoops() throws {
        var random = SeededRandom(seed: Seed.given)
        let numbers = (0..<400).map { _ in Float.random(in: -1...1, using: &random) }
        for transposed in [false, true] {
            let results = try [PlainKernels() as any MatrixKernels, try DNNLKernels()].map { kernels in
                let workspace = try kernels.workspace()
                var target = [Float](repeating: 0, count: 60)
                try numbers.withUnsafeBufferPointer { numbers in
                    let start = try #require(numbers.baseAddress)
                    try target.withUnsafeMutableBufferPointer { target in
                        try workspace.multiply(
                            MatrixView(start, stride: 9), MatrixView(start + 100, stride: 20), transposed: transposed,
                            scale: 0.5, rows: 5, columns: 7, depth: 6, into: #require(target.baseAddress), stride: 12)
                    }
                }
                return target
            }
            for (a, b) in zip(results[0], results[1]) { #expect(abs(a - b) < 1e-5, "seed \(Seed.given)") }
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
        let workspace = try kernels.workspace()
        var output = before
        try input.withUnsafeBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                try workspace.apply(
                    made, to: #require(input.baseAddress), rows: rows, into: #require(output.baseAddress))
            }
        }
        return output
    }

    private func softmax(_ kernels: some MatrixKernels, _ matrix: [Float], _ width: Int) throws -> [Float] {
        let workspace = try kernels.workspace()
        var matrix = matrix
        try matrix.withUnsafeMutableBufferPointer { matrix in
            workspace.softmax(try #require(matrix.baseAddress), rows: matrix.count / width, width: width)
        }
        return matrix
    }
}
