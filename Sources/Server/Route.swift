import Core

/// Where a request target leads.
struct Route {
    /// nil: passed to the upstream untouched.
    let dialect: Dialect?
    /// Behind the question mark.
    let query: BytesView

    init(target: BytesView) {
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        query = UnsafeRawBufferPointer(rebasing: target[(mark.map { $0 + 1 } ?? target.count)...])
        var path = UnsafeRawBufferPointer(rebasing: target[..<(mark ?? target.count)])
        if path.count > 3, path[0] == 47, path[1] == 118, path[2] == 49, path[3] == 47 {
            path = UnsafeRawBufferPointer(rebasing: path[3...])
        }
        // The lengths differ, so one comparison decides. Paths are case-sensitive.
        let candidate: (name: StaticString, dialect: Dialect)? =
            switch path.count {
            case 17: ("/chat/completions", .chat)
            case 12: ("/completions", .completions)
            case 11: ("/embeddings", .embeddings)
            case 10: ("/responses", .responses)
            case 9: ("/messages", .messages)
            default: nil
            }
        dialect = candidate.flatMap { path.elementsEqual($0.name) ? $0.dialect : nil }
    }
}

extension Route {
    /// The value of the first member of that name, as it is written.
    func queryValue(of name: StaticString) -> BytesView? {
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let pair = UnsafeRawBufferPointer(rebasing: pair)
            let length = name.utf8CodeUnitCount
            guard pair.count > length, pair[length] == UInt8(ascii: "="),
                UnsafeRawBufferPointer(rebasing: pair[..<length]).elementsEqual(name)
            else { continue }
            return UnsafeRawBufferPointer(rebasing: pair[(length + 1)...])
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    func elementsEqual(_ text: StaticString) -> Bool {
        elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
