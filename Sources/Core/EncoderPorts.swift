// What the text encoder needs from the outside: products of matrices, threads that may be busy, files of a model.

/// A dense layer as a checkpoint has it: y = W x + b.
package struct DenseLayer: Sendable {
    package enum End: Sendable, Hashable {
        /// The output is overwritten.
        case plain
        /// The output is overwritten with GELU(y), the exact one: y · Φ(y).
        case gelu
        /// y is added to what the output holds.
        case accumulate
    }

    package var inputs: Int
    package var outputs: Int
    /// `outputs` rows of `inputs` numbers.
    package var weights: [Float]
    /// `outputs` numbers.
    package var bias: [Float]
    package var end: End
    /// What is known of the inputs, where they are the output of a normalisation: `inputs` means and deviations.
    package var expected: Expected?

    package struct Expected: Sendable {
        package var means: [Float]
        package var deviations: [Float]
        package init(means: [Float], deviations: [Float]) {
            self.means = means
            self.deviations = deviations
        }
    }

    package init(
        inputs: Int, outputs: Int, weights: [Float], bias: [Float], end: End, expected: Expected? = nil
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.weights = weights
        self.bias = bias
        self.end = end
        self.expected = expected
    }
}

/// How weights and the inputs of products are held; sums have 32 bits.
package enum MatrixPrecision: String, Sendable, CaseIterable {
    case fp32, bf16
    /// A scale for each output's weights, a scale and a zero for each row of inputs.
    case int8
}

/// A numeric library was asked for what it cannot do.
package struct MatrixFault: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// Products of matrices by a library. Layers are made once; workspaces belong to one thread at a time.
package protocol MatrixKernels: Sendable {
    var precision: MatrixPrecision { get }
    func layer(_ layer: DenseLayer) throws(MatrixFault) -> any MatrixLayer
    /// Room for products of all layers made so far, and for attention.
    func workspace(_ attention: AttentionShape) throws(MatrixFault) -> any MatrixWorkspace
}

/// Weights in the order and precision that the library multiplies fastest.
package protocol MatrixLayer: AnyObject, Sendable {
    var inputs: Int { get }
    var outputs: Int { get }
}

extension MatrixRows {
    /// Rows of the buffers that `count` rows of a product may touch.
    package static func padded(_ count: Int) -> Int { (count + multiple - 1) / multiple * multiple }
}

/// Products run on whole groups of rows, so that a library needs few shapes.
package enum MatrixRows {
    package static let multiple = 4
}

/// The scratch memory of one thread. Not to be used by two at once.
package protocol MatrixWorkspace: AnyObject {
    /// Applies a layer to `rows` rows, which follow each other without gaps. Both buffers hold
    /// `MatrixRows.padded(rows)` rows: those behind the last one are read and overwritten and mean nothing.
    func apply(
        _ layer: any MatrixLayer, to input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault)

    /// Scaled dot-product attention of one text and one head: softmax(scale · Q · Kᵀ) · V for `rows` rows, no more than the
    /// workspace's window, of as many numbers as its heads have. Rows start `stride` numbers behind each other, those of
    /// `output` too.
    func attend(
        queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, rows: Int,
        scale: Float, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault)
}

/// Of a model whose heads look at the tokens of a text.
package struct AttentionShape: Sendable, Equatable {
    /// Tokens of the longest text.
    package var window: Int
    /// Numbers of one head.
    package var depth: Int
    package init(window: Int, depth: Int) {
        self.window = window
        self.depth = depth
    }
}

/// A few threads for work that keeps a processor busy, so that loops never do it.
package protocol WorkThreads: Sendable {
    var count: Int { get }
    /// Runs `work` on one of them. No more than `count` works may be outstanding.
    func run(_ work: @escaping @Sendable () -> Void)
}

/// The files of a model.
package protocol ModelFolder: Sendable {
    /// What people call it.
    var name: String { get }
    /// nil where there is no such file. The path is relative and uses `/`.
    func open(_ path: String) throws(ModelFileFault) -> (any ModelFile)?
}

package protocol ModelFile: AnyObject, Sendable {
    /// In bytes, when it was opened.
    var size: Int { get }
    /// Fills `target` with the bytes from `offset` on; fewer are a failure.
    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(ModelFileFault)
}

package struct ModelFileFault: Error, Sendable, Equatable {
    /// Completes a sentence that starts with the file's name.
    package var reason: String
    package init(_ reason: String) { self.reason = reason }
}
