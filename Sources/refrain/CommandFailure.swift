/// Why a command could not do its work: lines for standard error that say what to do, and the exit code.
struct CommandFailure: Error, Equatable {
    enum Kind: Int32 {
        /// The command was right, the world was not.
        case failed = 1
        /// The command line was wrong.
        case wrongUse = 2
    }

    var kind: Kind
    /// One line for each thing that is wrong.
    var message: String

    static func failed(_ message: String) -> CommandFailure { CommandFailure(kind: .failed, message: message) }
    static func wrongUse(_ message: String) -> CommandFailure { CommandFailure(kind: .wrongUse, message: message) }
}
