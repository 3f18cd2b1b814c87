import Core
import Dialects

/// What `POST /api/feedback` says of an answer.
struct FeedbackRequest: Sendable, Equatable {
    /// As `x-refrain-request-id` gave it.
    var id: UInt64
    var isRight: Bool

    struct Unreadable: Error, Equatable {
        var code: String
        var message: String
    }

    init(_ body: BytesView) throws(Unreadable) {
        guard let request = try? JSONValue.parse(body), let object = request.object else {
            throw Unreadable(
                code: "not-json",
                message: #"Send {"id": "…", "verdict": "up"} with the x-refrain-request-id of the answer."#)
        }
        if let stranger = object.members.first(where: { !["id", "verdict"].contains($0.name) }) {
            throw Unreadable(
                code: "bad-value", message: "There is no \(quoted(stranger.name)); send id and verdict.")
        }
        guard let digits = object["id"]?.text, digits.utf8.count == 16, let id = UInt64(digits, radix: 16) else {
            throw Unreadable(
                code: "bad-value", message: "id is the answer's x-refrain-request-id, 16 hexadecimal digits.")
        }
        switch object["verdict"]?.text {
        case "up": isRight = true
        case "down": isRight = false
        default: throw Unreadable(code: "bad-value", message: "verdict is up or down.")
        }
        self.id = id
    }
}
