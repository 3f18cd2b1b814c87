import Core

/// Runs texts through a model. Belongs to one thread at a time and keeps its memory for the next texts.
package final class BertPass {
    private let model: BertModel
    private let workspace: any MatrixWorkspace
    /// In rows; more tokens than this are not run at once.
    package let capacity: Int

    private let hidden: UnsafeMutablePointer<Float>
    private let queries: UnsafeMutablePointer<Float>
    private let keys: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Float>
    private let context: UnsafeMutablePointer<Float>
    private let inner: UnsafeMutablePointer<Float>

    /// - Parameter tokens: room for one text of the longest kind is made in any case.
    package init(
        _ model: BertModel, kernels: any MatrixKernels, tokens: Int
    ) throws(MatrixFault) {
        self.model = model
        let configuration = model.configuration
        workspace = try kernels.workspace(
            AttentionShape(window: configuration.window, depth: configuration.headWidth))
        capacity = MatrixRows.padded(max(tokens, configuration.window))
        // Left as the system gives it, so that what no text was long enough for takes no memory.
        func room(_ count: Int) -> UnsafeMutablePointer<Float> {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
            return memory.bindMemory(to: Float.self, capacity: count)
        }
        hidden = room(capacity * configuration.width)
        queries = room(capacity * configuration.width)
        keys = room(capacity * configuration.width)
        values = room(capacity * configuration.width)
        context = room(capacity * configuration.width)
        inner = room(capacity * configuration.innerWidth)
    }

    deinit {
        for memory in [hidden, queries, keys, values, context, inner] { memory.deallocate() }
    }

    /// The vectors of all tokens of all texts behind each other, valid until the next run. The ids are those of the
    /// model's own tokenizer; each text fits its window, and all together fit `capacity`.
    package func run(_ texts: [[Int32]]) throws(MatrixFault) -> UnsafeBufferPointer<Float> {
        let configuration = model.configuration
        let rows = texts.reduce(0) { $0 + $1.count }
        precondition(rows <= capacity && texts.allSatisfy { $0.count <= configuration.window })
        embed(texts)
        clearPadding(behind: rows)
        for layer in model.layers {
            try workspace.apply(layer.query, to: hidden, rows: rows, into: queries)
            try workspace.apply(layer.key, to: hidden, rows: rows, into: keys)
            try workspace.apply(layer.value, to: hidden, rows: rows, into: values)
            try attend(texts)
            try workspace.apply(layer.attentionOutput, to: context, rows: rows, into: hidden)
            normalize(layer.attentionNormalization, rows)
            try workspace.apply(layer.inner, to: hidden, rows: rows, into: inner)
            try workspace.apply(layer.output, to: inner, rows: rows, into: hidden)
            normalize(layer.outputNormalization, rows)
        }
        return UnsafeBufferPointer(start: hidden, count: rows * configuration.width)
    }

    private func embed(_ texts: [[Int32]]) {
        let width = model.configuration.width
        var row = 0
        for text in texts {
            for (position, id) in text.enumerated() {
                let target = hidden + row * width
                model.positions.withUnsafeBufferPointer { positions in
                    for index in 0..<width { target[index] = positions[position * width + index] }
                }
                model.words.add(Int(id), to: target)
                row += 1
            }
        }
        normalize(model.embeddingNormalization, row)
    }

    /// Products read whole groups of rows.
    private func clearPadding(behind rows: Int) {
        let width = model.configuration.width
        let padding = (MatrixRows.padded(rows) - rows) * width
        for matrix in [hidden, context] { (matrix + rows * width).update(repeating: 0, count: padding) }
    }

    private func normalize(_ normalization: BertModel.Normalization, _ rows: Int) {
        normalization.scale.withUnsafeBufferPointer { scale in
            normalization.shift.withUnsafeBufferPointer { shift in
                guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
                VectorMath.normalizeRows(
                    hidden, count: rows, width: model.configuration.width, scale: scale, shift: shift,
                    epsilon: model.configuration.epsilon)
            }
        }
    }

    /// Scaled dot-product attention of each text with itself, head by head.
    private func attend(_ texts: [[Int32]]) throws(MatrixFault) {
        let (width, headWidth) = (model.configuration.width, model.configuration.headWidth)
        let scale = 1 / Float(headWidth).squareRoot()
        var first = 0
        for text in texts {
            for head in 0..<model.configuration.heads {
                let start = first * width + head * headWidth
                try workspace.attend(
                    queries: queries + start, keys: keys + start, values: values + start, stride: width,
                    rows: text.count, scale: scale, into: context + start)
            }
            first += text.count
        }
    }
}
