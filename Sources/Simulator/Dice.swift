import Core
import Dialects

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same seed gives the same numbers.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func fraction() -> Double { Double(next() >> 11) / Double(UInt64(1) << 53) }
}

/// FNV-1a, 64 bits, over a JSON value without regard to the order of members.
struct Fingerprint {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ value: JSONValue) { add(value) }

    private mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // A byte that no UTF-8 text has ends each part.
        value = (value ^ 0xFF) &* 0x100_0000_01B3
    }

    private mutating func add(_ json: JSONValue) {
        switch json {
        case .array(let elements):
            add("[".utf8)
            for element in elements { add(element) }
            add("]".utf8)
        case .object(let object):
            add("{".utf8)
            for member in object.members.sorted(by: { $0.name < $1.name }) {
                add(member.name.utf8)
                add(member.value)
            }
            add("}".utf8)
        default: add(json.serialised)
        }
    }
}
