import Core
import Foreign

extension HTTPExchange {
    /// The header lines of a request that is only told of: those whose names begin with `prefix`, without it.
    func headers(behind prefix: StaticString) -> [(name: BytesView, value: BytesView)] {
        let length = prefix.utf8CodeUnitCount
        return headers.compactMap { line in
            guard line.name.count > length,
                UnsafeRawBufferPointer(rebasing: line.name[..<length]).equalsIgnoringCase(prefix)
            else { return nil }
            return (UnsafeRawBufferPointer(rebasing: line.name[length...]), line.value)
        }
    }
}
