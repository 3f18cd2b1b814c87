import Core
import Dialects

/// The members of a line's outermost object that tell what kind of record it is.
enum LineMember: Int, CaseIterable {
    case model, messages, prompt, input, system, maxTokens, body, request, response, customID, error
    case address, time, count, callType, parameters, statusCode, purpose

    init?(_ name: JSONText) {
        // The length picks the few names that are worth comparing.
        let candidates: KeyValuePairs<StaticString, LineMember> =
            switch name.raw.count {
            case 3: ["url": .address]
            case 4: ["body": .body, "time": .time, "path": .address]
            case 5: ["model": .model, "input": .input, "count": .count, "error": .error]
            case 6: ["prompt": .prompt, "system": .system]
            case 7: ["request": .request, "dialect": .address, "purpose": .purpose]
            case 8: ["messages": .messages, "response": .response, "endpoint": .address]
            case 9: ["custom_id": .customID, "call_type": .callType, "timestamp": .time, "startTime": .time]
            case 10: ["max_tokens": .maxTokens]
            case 11: ["status_code": .statusCode]
            case 15: ["optional_params": .parameters]
            case 16: ["model_parameters": .parameters]
            default: [:]
            }
        guard let found = candidates.first(where: { name.means($0.key) }) else { return nil }
        self = found.value
    }
}

/// Where the known members of one object stand. Filled anew for each line without allocating.
struct LineMembers {
    private var ranges = [Range<Int>?](repeating: nil, count: LineMember.allCases.count)
    private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Reads a whole object and notes where its known members stand; of a repeated one, the first.
    mutating func read(_ line: UnsafeRawBufferPointer) throws(JSONFault) {
        for index in ranges.indices { ranges[index] = nil }
        bytes = line
        var cursor = try JSONCursor(line)
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            let member = LineMember(name)
            let value = try cursor.skip()
            guard let member, ranges[member.rawValue] == nil else { continue }
            ranges[member.rawValue] = cursor.position - value.count..<cursor.position
        }
        try cursor.finish()
    }

    func has(_ member: LineMember) -> Bool { ranges[member.rawValue] != nil }

    func range(_ member: LineMember) -> Range<Int>? { ranges[member.rawValue] }

    /// The member's value as it is written.
    func raw(_ member: LineMember) -> UnsafeRawBufferPointer? {
        ranges[member.rawValue].map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
    }

    /// The range of a member that is an object.
    func object(_ member: LineMember) -> Range<Int>? {
        guard let range = ranges[member.rawValue], bytes[range.lowerBound] == UInt8(ascii: "{") else { return nil }
        return range
    }

    /// What stands between the quotes of a member that is a string without escapes or with harmless ones.
    func text(_ member: LineMember) -> UnsafeRawBufferPointer? {
        guard let raw = raw(member), raw.count >= 2, raw[0] == UInt8(ascii: "\"") else { return nil }
        return UnsafeRawBufferPointer(rebasing: raw[1..<raw.count - 1])
    }

    func isNull(_ member: LineMember) -> Bool { raw(member).map { $0[0] == UInt8(ascii: "n") } ?? true }
}
