import Core

/// The whole answer that a stream amounts to. Fails where that cannot be said for certain.
package func wholeFromStream(
    _ stream: UnsafeRawBufferPointer, dialect: Dialect
) throws(ConversionFailure) -> Bytes {
    throw .unsupported
}

/// The stream that says the same as a whole answer. Fails where the dialect has no streams, or no way to say it.
package func streamFromWhole(
    _ whole: UnsafeRawBufferPointer, dialect: Dialect
) throws(ConversionFailure) -> StreamRendition {
    throw .unsupported
}
