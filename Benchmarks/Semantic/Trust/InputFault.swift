/// Why an input cannot be used.
struct InputFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
