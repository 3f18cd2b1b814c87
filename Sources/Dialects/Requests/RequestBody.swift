import Core

/// The body to send upstream: the client's own bytes, except that a streamed request for chat or completions
/// that did not ask for usage is made to ask, where `askForUsage` says so.
///
/// The change is made to the bytes, because a body that is written anew is never quite the client's own.
/// `facts` are those of `original`.
package func upstreamBody(original: UnsafeRawBufferPointer, facts: RequestFacts, askForUsage: Bool) -> Bytes {
    let hasUsageOption = facts.dialect == .chat || facts.dialect == .completions
    guard askForUsage, hasUsageOption, facts.wantsStream, !facts.wantsUsage else { return Bytes(copying: original) }
    switch facts.usageEdit {
    case .insertOptions(let at):
        // The object is not empty, for it has a model.
        return splice(original, at..<at, #""stream_options":{"include_usage":true},"#)
    case .replaceOptions(let range):
        return splice(original, range, #"{"include_usage":true}"#)
    case .insertMember(let at, let isAlone):
        return splice(original, at..<at, isAlone ? #""include_usage":true"# : #""include_usage":true,"#)
    case .replaceMember(let range):
        return splice(original, range, "true")
    }
}

private func splice(_ original: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bytes {
    let middle = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    let parts = [
        UnsafeRawBufferPointer(rebasing: original[..<range.lowerBound]), middle,
        UnsafeRawBufferPointer(rebasing: original[range.upperBound...]),
    ]
    return Bytes(capacity: parts.reduce(0) { $0 + $1.count }) { target in
        var position = 0
        for part in parts {
            UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: part)
            position += part.count
        }
        return position
    }
}
