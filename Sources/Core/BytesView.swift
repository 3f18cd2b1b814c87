/// Borrowed bytes, for what is read while the request is at hand and never kept.
package typealias BytesView = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    /// ASCII comparison without case against a literal that is already lower case.
    @inline(__always)
    package func equalsIgnoringCase(_ lowered: StaticString) -> Bool {
        guard count == lowered.utf8CodeUnitCount else { return false }
        let pattern = lowered.utf8Start
        for index in 0..<count {
            let byte = self[index]
            let folded = byte >= 65 && byte <= 90 ? byte | 32 : byte
            if folded != pattern[index] { return false }
        }
        return true
    }

    package var text: String { String(decoding: self, as: UTF8.self) }

    /// Without spaces and tabs at either end.
    package var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start] == 32 || self[start] == 9 { start += 1 }
        while end > start, self[end - 1] == 32 || self[end - 1] == 9 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
