import Core
import Dialects
import Engine

/// What `POST /api/purge` asks for: exactly one group, and whether only to count.
struct PurgeRequest: Sendable, Equatable {
    var group: PurgeGroup
    /// Of `older`: how old answers must be, in milliseconds.
    var age: Int64 = 0
    var isDry = false

    struct Unreadable: Error, Equatable {
        var code: String
        var message: String
    }

    private static let members = "all, key, model, tag, namespace, tenant or olderThan"

    init(_ body: BytesView) throws(Unreadable) {
        guard let request = try? JSONValue.parse(body), var object = request.object else {
            throw Unreadable(code: "not-json", message: "Send a JSON object with one of \(PurgeRequest.members).")
        }
        switch object["dryRun"] {
        case nil: break
        case .bool(let isDry)?: self.isDry = isDry
        default: throw Unreadable(code: "bad-value", message: "dryRun is true or false.")
        }
        object["dryRun"] = nil
        guard object.members.count == 1, let member = object.members.first else {
            throw Unreadable(code: "nothing-named", message: "Name exactly one of \(PurgeRequest.members).")
        }
        switch member.name {
        case "all":
            guard member.value == .bool(true) else {
                throw Unreadable(code: "bad-value", message: "all can only be true.")
            }
            group = .everything
        case "olderThan":
            guard let age = member.value.text.flatMap({ DurationFormat.parse($0) }), age >= .zero else {
                throw Unreadable(code: "bad-value", message: "olderThan is a duration such as \"24h\".")
            }
            (group, self.age) = (.older, age.milliseconds)
        case let name:
            guard let subject = member.value.text, subject.utf8.count <= PurgeRequest.longestSubject,
                let group = PurgeGroup(kind: name, subject: subject)
            else { throw Unreadable(code: "bad-value", message: PurgeRequest.shape(of: name)) }
            self.group = group
        }
    }

    /// In bytes: longer ones are no names of anything that is kept.
    private static let longestSubject = 4096

    private static func shape(of member: String) -> String {
        switch member {
        case "key": "A key has 64 hexadecimal digits."
        case "tenant": "A tenant has 16 hexadecimal digits, as `refrain explain` shows it."
        case "model", "tag", "namespace": "A \(member) is a text of at most \(longestSubject) bytes."
        default: "There is no \(member); name one of \(members)."
        }
    }
}

extension PurgeReport {
    /// Of a purge that was only tried.
    static func dryJSON(count: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("purged", count)
        writer.member("dryRun", true)
        writer.endObject()
        return writer.bytes
    }

    func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("purged", count)
        writer.member("dryRun", false)
        writer.member("generation", Int64(clamping: mark.number))
        writer.member("shared", isShared)
        writer.endObject()
        return writer.bytes
    }
}
