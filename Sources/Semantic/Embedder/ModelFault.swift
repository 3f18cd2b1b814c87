import Core

/// Why a model cannot be used: which file, and what about it.
package struct ModelFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Relative to the model's folder; empty for the folder itself.
    package let file: String
    /// Completes a sentence that starts with the file's name.
    package let reason: String

    package init(_ file: String, _ reason: String) {
        self.file = file
        self.reason = reason
    }

    package var description: String { file.isEmpty ? "the model \(reason)" : "\(file) \(reason)" }
}
