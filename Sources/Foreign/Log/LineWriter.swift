import Core
import Synchronization

/// Writes lines on a thread of its own, because whoever takes them may be slow and a worker must never wait for that;
/// when too many wait, new ones are dropped and counted.
final class LineWriter: Sendable {
    private let loop: EventLoop
    private let thread: SystemThread
    private let waiting = Atomic(0)
    private let waitingBytes: ByteBudget
    private let droppedLines = Atomic(0)
    private let put: @Sendable ([UInt8]) -> Bool

    private static let mostLines = 10_000
    private static let closeLimit = Duration.seconds(2)

    /// - Parameters:
    ///   - mostBytes: what the lines that wait may keep of memory that is not theirs.
    ///   - put: writes a line, on the writer's thread; false where that is impossible.
    init(
        named name: String, mostBytes: ByteCount = .mebibytes(64), put: @escaping @Sendable ([UInt8]) -> Bool
    ) throws(LoopError) {
        self.put = put
        waitingBytes = ByteBudget(limit: mostBytes)
        loop = try EventLoop()
        thread = try loop.startThread(named: name)
    }

    /// Lines that nobody will read.
    var dropped: Int { droppedLines.load(ordering: .relaxed) }

    /// Has a line made and written. `weight` is how many bytes `make` keeps alive until then.
    func write(weight: Int = 0, _ make: @escaping @Sendable () -> [UInt8]) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= LineWriter.mostLines else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            return drop()
        }
        guard waitingBytes.take(weight) else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            return drop()
        }
        loop.execute { [self] in
            if !put(make()) { drop() }
            waitingBytes.give(weight)
            waiting.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Runs `work` on the writer's thread, after the lines that wait.
    func execute(_ work: @escaping @Sendable () -> Void) { loop.execute(work) }

    /// Writes what waits and ends the thread. Where nobody takes the lines that would take for ever, so it is given up
    /// after a while.
    func close() {
        loop.stop()
        if !thread.join(within: LineWriter.closeLimit) {
            droppedLines.wrappingAdd(max(0, waiting.load(ordering: .relaxed)), ordering: .relaxed)
        }
    }

    private func drop() { droppedLines.wrappingAdd(1, ordering: .relaxed) }
}
