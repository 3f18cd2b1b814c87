/// Borrowed bytes, for what is read while the request is at hand and never kept.
package typealias BytesView = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    /// ASCII comparison without case against a literal that is already lower case.
    @inline(__always)
    package func equalsIgnoringCase(_ lowered: StaticString) -> Bool {
        guard count == lowered.utf8CodeUnitCount else { return false }
        let pattern = lowered.utf8Start
        for index in 0..<count where folded(index) != pattern[index] { return false }
        return true
    }

    /// The same against bytes. Not generic: every hit compares header lines, and generic code would not be specialised
    /// across modules.
    @inline(__always)
    package func equalsIgnoringCase(_ lowered: [UInt8]) -> Bool {
        guard count == lowered.count else { return false }
        for index in 0..<count where folded(index) != lowered[index] { return false }
        return true
    }

    @inline(__always)
    private func folded(_ index: Int) -> UInt8 {
        let byte = self[index]
        return byte >= 65 && byte <= 90 ? byte | 32 : byte
    }

    package var text: String { String(decoding: self, as: UTF8.self) }

    /// A text that no other bytes have. `text` makes one of all bytes that are not UTF-8, and header lines and targets
    /// may hold such. These are spelled byte by byte behind a zero, which neither of the two can hold.
    package var exactText: String {
        if let text = String(validating: self, as: UTF8.self) { return text }
        var scalars = String.UnicodeScalarView()
        scalars.append("\u{0}")
        for byte in self { scalars.append(Unicode.Scalar(byte)) }
        return String(scalars)
    }

    /// Without spaces and tabs at either end.
    package var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start] == 32 || self[start] == 9 { start += 1 }
        while end > start, self[end - 1] == 32 || self[end - 1] == 9 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
