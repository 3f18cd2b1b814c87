import Core
import Dialects

/// A file of named tensors (github.com/huggingface/safetensors): the length of a JSON header, the header, the numbers.
///
/// Everything the header claims is checked against the file before anything is read, and every number that is read is
/// one that a trained model may have.
struct Safetensors {
    enum ElementType: String {
        case f32 = "F32"
        case f16 = "F16"
        case bf16 = "BF16"

        var size: Int { self == .f32 ? 4 : 2 }
    }

    struct Tensor {
        var type: String
        var shape: [Int]
        /// In bytes of the file.
        var range: Range<Int>
    }

    /// Numbers beyond this are refused: damage, or a model that cannot be computed in single precision. No sum of products
    /// of such numbers overflows.
    static let greatest: Float = 1e6

    /// Larger headers are refused: they list names, not numbers.
    static let headerLimit = 16 << 20

    let path: String
    let tensors: [String: Tensor]
    private let file: any ModelFile

    init(_ path: String, in folder: any ModelFolder) throws(ModelFault) {
        do throws(ModelFileFault) {
            guard let file = try folder.open(path) else { throw ModelFileFault("is missing") }
            self.file = file
            self.path = path
            let header = try Safetensors.header(of: file)
            let start = 8 + header.count
            let json = try header.withUnsafeBytes { (bytes) throws(ModelFileFault) in
                do throws(JSONFault) {
                    return try JSONValue.parse(bytes)
                } catch {
                    throw ModelFileFault("has a header that is not JSON: \(error)")
                }
            }
            guard let object = json.object else { throw ModelFileFault("has a header that is not an object") }
            var tensors: [String: Tensor] = [:]
            for member in object.members where member.name != "__metadata__" {
                tensors[member.name] = try Safetensors.tensor(member, content: start..<file.size)
            }
            self.tensors = tensors
        } catch {
            throw ModelFault(path, error.reason)
        }
    }

    private static func header(of file: any ModelFile) throws(ModelFileFault) -> Bytes {
        guard file.size >= 8 else { throw ModelFileFault("is too short to be of the safetensors format") }
        let length = try Bytes(capacity: 8) { (target) throws(ModelFileFault) in
            try file.read(at: 0, into: target)
            return 8
        }.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= UInt64(headerLimit), Int(length) <= file.size - 8 else {
            throw ModelFileFault("declares a header of \(length) bytes, which it cannot hold")
        }
        return try Bytes(capacity: Int(length)) { (target) throws(ModelFileFault) in
            try file.read(at: 8, into: target)
            return Int(length)
        }
    }

    private static func tensor(
        _ member: JSONObject.Member, content: Range<Int>
    ) throws(ModelFileFault) -> Tensor {
        let name = member.name
        guard let type = member.value["dtype"]?.text else { throw ModelFileFault("gives \(name) no dtype") }
        guard let sizes = member.value["shape"]?.elements, sizes.count <= 8 else {
            throw ModelFileFault("gives \(name) no shape of at most 8 dimensions")
        }
        var shape: [Int] = []
        for size in sizes {
            guard let size = size.integer, size >= 0 else {
                throw ModelFileFault("gives \(name) a shape that is not made of whole numbers")
            }
            shape.append(size)
        }
        guard let offsets = member.value["data_offsets"]?.elements, offsets.count == 2,
            let begin = offsets[0].integer, let end = offsets[1].integer, begin >= 0, begin <= end,
            end <= content.count
        else { throw ModelFileFault("places \(name) outside of its \(content.count) bytes of numbers") }
        return Tensor(type: type, shape: shape, range: content.lowerBound + begin..<content.lowerBound + end)
    }

    /// Hands over all numbers of a tensor in order, in pieces of whole rows of about 16384 numbers, and checks them first.
    ///
    /// - Parameter seen: what the file held, for a fingerprint.
    func read(
        _ name: String, shape: [Int], seen: (UnsafeRawBufferPointer) -> Void,
        _ take: (UnsafeBufferPointer<Float>) -> Void
    ) throws(ModelFault) {
        guard let tensor = tensors[name] else { throw ModelFault(path, "has no tensor \(name)") }
        guard tensor.shape == shape else {
            throw ModelFault(path, "has \(name) of shape \(tensor.shape), where config.json asks for \(shape)")
        }
        guard let type = ElementType(rawValue: tensor.type) else {
            throw ModelFault(path, "has \(name) as \(tensor.type); only F32, F16 and BF16 can be read")
        }
        // The configuration bounds each size, so their product does not overflow.
        let count = shape.reduce(1, *)
        guard tensor.range.count == count * type.size else {
            throw ModelFault(path, "gives \(name) \(tensor.range.count) bytes for \(count) numbers of \(tensor.type)")
        }
        let row = shape.last ?? 1
        let pieceCount = max(1, 16384 / row) * row
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceCount * type.size, alignment: 16)
        defer { raw.deallocate() }
        let numbers = UnsafeMutableBufferPointer<Float>.allocate(capacity: pieceCount)
        defer { numbers.deallocate() }
        for start in stride(from: 0, to: count, by: pieceCount) {
            let piece = min(pieceCount, count - start)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: raw[..<(piece * type.size)])
            do throws(ModelFileFault) {
                try file.read(at: tensor.range.lowerBound + start * type.size, into: bytes)
            } catch {
                throw ModelFault(path, error.reason)
            }
            let target = UnsafeMutableBufferPointer(rebasing: numbers[..<piece])
            guard Safetensors.convert(UnsafeRawBufferPointer(bytes), type, into: target) else {
                throw ModelFault(
                    path, "has a number in \(name) that is infinite, not a number or beyond a million: fetch it again")
            }
            seen(UnsafeRawBufferPointer(bytes))
            take(UnsafeBufferPointer(target))
        }
    }

    /// A whole tensor.
    func numbers(
        _ name: String, shape: [Int], seen: (UnsafeRawBufferPointer) -> Void
    ) throws(ModelFault) -> [Float] {
        var all: [Float] = []
        try read(name, shape: shape, seen: seen) { piece in
            if all.isEmpty { all.reserveCapacity(shape.reduce(1, *)) }
            all.append(contentsOf: piece)
        }
        return all
    }

    /// Whether all numbers are such that can be computed with.
    private static func convert(
        _ bytes: UnsafeRawBufferPointer, _ type: ElementType, into target: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        var areSane = true
        for index in target.indices {
            let number: Float
            switch type {
            case .f32:
                number = Float(
                    bitPattern: UInt32(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
            case .f16: number = half(bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self).littleEndian)
            case .bf16:
                let bits = bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self).littleEndian
                number = Float(bitPattern: UInt32(bits) << 16)
            }
            // Not so of what is no number.
            areSane = areSane && abs(number) <= greatest
            target[index] = number
        }
        return areSane
    }

    /// IEEE 754 binary16 to binary32, in integers: Swift's own type needs a processor or a library that knows it.
    static func half(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0: return Float(bitPattern: sign | Float(fraction).bitPattern) * 0x1p-24
        case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
