/// Work that one at a time does, and that is done once more where it was asked for meanwhile: what begins after the asking
/// sees everything that led to it. A plain value; whoever holds it locks it.
struct RunAgain {
    private var isRunning = false
    private var isAskedAgain = false

    /// Whether the caller is to do it, because nobody does; who does will do it once more.
    mutating func begin() -> Bool {
        isAskedAgain = isRunning
        defer { isRunning = true }
        return !isRunning
    }

    /// Whether who did it is to do so once more; else nobody does it any more.
    mutating func goesOn() -> Bool {
        isRunning = isAskedAgain
        isAskedAgain = false
        return isRunning
    }

    /// What is being done now is the last time.
    mutating func forget() { isAskedAgain = false }
}
