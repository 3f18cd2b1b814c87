import Core

/// One command on its way through a client, redirections included. Belongs to the loop's thread.
final class RedisCall {
    let command: RedisCommand
    /// In monotonic nanoseconds, for all attempts together.
    let deadline: Int64
    private(set) var redirections = 0
    private var completion: RedisPipeline.Completion?

    init(_ command: RedisCommand, deadline: Int64, completion: @escaping RedisPipeline.Completion) {
        self.command = command
        self.deadline = deadline
        self.completion = completion
    }

    func countRedirection() { redirections += 1 }

    func end(_ result: Result<RedisReply, KeyValueFailure>) {
        precondition(completion != nil, "RedisCall: ended twice")
        completion?(result)
        completion = nil
    }
}
