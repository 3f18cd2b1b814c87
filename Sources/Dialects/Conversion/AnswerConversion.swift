import Core

/// The whole answer that a stream amounts to. Fails where that cannot be said for certain, so that a form which
/// was derived is never a wrong answer.
package func wholeFromStream(
    _ stream: UnsafeRawBufferPointer, dialect: Dialect
) throws(ConversionFailure) -> Bytes {
    guard dialect != .embeddings else { throw .unsupported }
    guard isComplete(stream: stream, dialect: dialect) else { throw .notComplete }
    let whole = try assemble(stream, dialect: dialect)
    // A member that means nothing in an event may mean an error in an answer.
    guard whole.withUnsafeBytes({ isComplete(whole: $0, dialect: dialect) }) else { throw .unmergeable }
    return whole
}

private func assemble(_ stream: UnsafeRawBufferPointer, dialect: Dialect) throws(ConversionFailure) -> Bytes {
    switch dialect {
    case .chat, .completions:
        var assembly = ChoicesAssembly(dialect: dialect)
        try eachEvent(of: stream) { (_, data) throws(ConversionFailure) in
            if !data.elementsEqual("[DONE]".utf8) { try assembly.take(parseObject(data)) }
        }
        return Bytes(JSONValue.object(try assembly.whole()).serialised)
    case .messages:
        var assembly = MessageAssembly()
        try eachEvent(of: stream) { (_, data) throws(ConversionFailure) in
            try assembly.take(parseObject(data))
        }
        return Bytes(JSONValue.object(try assembly.whole()).serialised)
    case .responses: return try responseFromStream(stream)
    case .embeddings: throw .unsupported
    }
}

/// The stream that says the same as a whole answer. Fails where the dialect has no streams, or no way to say it.
package func streamFromWhole(
    _ whole: UnsafeRawBufferPointer, dialect: Dialect
) throws(ConversionFailure) -> StreamRendition {
    guard dialect != .embeddings else { throw .unsupported }
    guard isComplete(whole: whole, dialect: dialect) else { throw .notComplete }
    let rendition = try render(parseObject(whole), dialect: dialect)
    guard rendition.bytes.withUnsafeBytes({ isComplete(stream: $0, dialect: dialect) }) else { throw .unmergeable }
    return rendition
}

private func render(_ answer: JSONObject, dialect: Dialect) throws(ConversionFailure) -> StreamRendition {
    switch dialect {
    case .chat, .completions: try ChoicesRendering(answer, dialect: dialect).stream()
    case .messages: try renderMessage(answer)
    case .responses: try renderResponse(answer)
    case .embeddings: throw .unsupported
    }
}

private func isComplete(whole: UnsafeRawBufferPointer, dialect: Dialect) -> Bool {
    do {
        _ = try judgeWhole(whole, dialect: dialect)
        return true
    } catch {
        return false
    }
}

private func isComplete(stream: UnsafeRawBufferPointer, dialect: Dialect) -> Bool {
    var watcher = StreamWatcher(dialect: dialect, maxEvent: stream.count)
    watcher.feed(stream) { _ in }
    do {
        _ = try watcher.finish { _ in }
        return true
    } catch {
        return false
    }
}

func parseObject(_ bytes: UnsafeRawBufferPointer) throws(ConversionFailure) -> JSONObject {
    do {
        guard case .object(let object) = try JSONValue.parse(bytes) else { throw ConversionFailure.unmergeable }
        return object
    } catch {
        throw .unmergeable
    }
}

/// Visits the events of a stream that is all there.
func eachEvent(
    of stream: UnsafeRawBufferPointer,
    _ visit: (_ name: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer) throws(ConversionFailure) -> Void
) throws(ConversionFailure) {
    var failure: ConversionFailure?
    let handle = { (block: SSEBlock) in
        guard failure == nil, case .event(let name, let data) = block.content else { return }
        do throws(ConversionFailure) {
            try visit(name, data)
        } catch {
            failure = error
        }
    }
    var splitter = SSESplitter(limit: stream.count)
    do {
        try splitter.feed(stream, block: handle)
    } catch {
        throw .unmergeable
    }
    splitter.finish(block: handle)
    if let failure { throw failure }
}

/// Collects server-sent events.
struct EventWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(data: JSONObject) {
        bytes += "data: ".utf8
        data.write(to: &bytes)
        bytes += "\n\n".utf8
    }

    mutating func write(name: String, data: JSONObject) {
        bytes += "event: ".utf8
        bytes += name.utf8
        bytes.append(0x0A)
        write(data: data)
    }

    mutating func writeDone() { bytes += "data: [DONE]\n\n".utf8 }
}
