import Core

/// Products of matrices in plain loops and double precision, to check a library against.
package struct PlainKernels: MatrixKernels {
    package init() {}

    package var precision: MatrixPrecision { .fp32 }
    package func layer(_ layer: DenseLayer) throws(MatrixFault) -> any MatrixLayer { PlainLayer(layer) }
    package func workspace() throws(MatrixFault) -> any MatrixWorkspace { PlainWorkspace() }
}

private final class PlainLayer: MatrixLayer {
    let layer: DenseLayer
    init(_ layer: DenseLayer) { self.layer = layer }
    var inputs: Int { layer.inputs }
    var outputs: Int { layer.outputs }
}

private final class PlainWorkspace: MatrixWorkspace {
    func apply(
        _ layer: any MatrixLayer, to input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        guard let layer = (layer as? PlainLayer)?.layer else { throw MatrixFault("a layer of other kernels") }
        for row in 0..<rows {
            for column in 0..<layer.outputs {
                var sum = Double(layer.bias[column])
                for index in 0..<layer.inputs {
                    sum +=
                        Double(input[row * layer.inputs + index])
                        * Double(layer.weights[column * layer.inputs + index])
                }
                let place = output + row * layer.outputs + column
                switch layer.end {
                case .plain: place.pointee = Float(sum)
                case .gelu: place.pointee = Float(PlainWorkspace.gelu(sum))
                case .accumulate: place.pointee += Float(sum)
                }
            }
        }
    }

    func multiply(
        _ a: MatrixView, _ b: MatrixView, transposed: Bool, scale: Float, rows: Int, columns: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int
    ) throws(MatrixFault) {
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = 0.0
                for index in 0..<depth {
                    let other = transposed ? b.start[column * b.stride + index] : b.start[index * b.stride + column]
                    sum += Double(a.start[row * a.stride + index]) * Double(other)
                }
                c[row * stride + column] = Float(sum) * scale
            }
        }
    }

    func softmax(_ matrix: UnsafeMutablePointer<Float>, rows: Int, width: Int) {
        for row in 0..<rows {
            let start = matrix + row * width
            let greatest = (0..<width).map { start[$0] }.max() ?? 0
            let powers = (0..<width).map { PlainWorkspace.exponential(Double(start[$0] - greatest)) }
            let sum = powers.reduce(0, +)
            for index in 0..<width { start[index] = Float(powers[index] / sum) }
        }
    }

    /// x · Φ(x), the integral of the normal density by Simpson's rule.
    private static func gelu(_ x: Double) -> Double {
        let end = min(abs(x), 9)
        let steps = 200
        let width = end / Double(steps)
        func density(_ t: Double) -> Double { exponential(-t * t / 2) * 0.398_942_280_401_432_7 }
        var sum = density(0) + density(end)
        for step in 1..<steps { sum += density(Double(step) * width) * (step.isMultiple(of: 2) ? 2 : 4) }
        let half = sum * width / 3
        return x * (x < 0 ? 0.5 - half : 0.5 + half)
    }

    /// e to the x: the series at x / 1024, squared ten times.
    private static func exponential(_ x: Double) -> Double {
        let small = x / 1024
        var term = 1.0
        var sum = 1.0
        for index in 1...12 {
            term *= small / Double(index)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
