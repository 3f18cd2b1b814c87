import Core
import Engine
import Foreign

/// Responses to hits, kept for the second in which `Age` and `ttl` say the same.
///
/// Making a response costs more than everything else Refrain does for a hit, and popular answers are asked for many
/// times a second. Each slot holds the response to one request; whoever comes next with the same slot takes it over.
/// A response keeps its entry's memory, so the bytes are bounded and the whole is emptied as time passes.
final class PreparedResponses {
    private struct Slot {
        let entry: ObjectIdentifier
        let wantsUsage: Bool
        let form: Form
        let ageSeconds: Int64
        let response: HTTPResponse
    }

    private var slots: [Slot?] = Array(repeating: nil, count: slotCount)
    private var bytes = 0

    private static let slotCount = 4096
    /// Content held by all slots together, beyond what memory itself accounts for.
    private static let byteLimit = 8 << 20

    /// The response to a hit: the one made before, or what `make` makes.
    func response(
        to found: Engine.Found, key: CacheKey, wantsUsage: Bool, make: () -> HTTPResponse?
    ) -> HTTPResponse? {
        // Shards take their bits from other words of the key.
        let index = Int(truncatingIfNeeded: key.word3) & (PreparedResponses.slotCount - 1)
        let entry = ObjectIdentifier(found.entry.owner)
        let age = found.age / 1000
        // A slot's response keeps its entry alive, so the same identity is the same entry.
        if let slot = slots[index], slot.entry == entry, slot.ageSeconds == age, slot.form == found.form,
            slot.wantsUsage == wantsUsage
        {
            return slot.response
        }
        guard let response = make() else { return nil }
        let size = found.entry.byteCount
        guard bytes + size <= PreparedResponses.byteLimit else { return response }
        bytes += size
        slots[index] = Slot(
            entry: entry, wantsUsage: wantsUsage, form: found.form, ageSeconds: age, response: response)
        return response
    }

    /// Lets go of all of them.
    func empty() {
        guard bytes > 0 else { return }
        bytes = 0
        for index in slots.indices { slots[index] = nil }
    }
}
