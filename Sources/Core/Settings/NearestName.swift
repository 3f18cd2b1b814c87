/// Finds what somebody probably meant to write.
package enum NearestName {
    /// The candidate that differs least from `name`, nil where none is near. Case, hyphens and underscores do not
    /// count, so `stale_if_error` finds `staleIfError`; a right last part in the wrong section is near as well.
    package static func find(_ name: String, among candidates: [String]) -> String? {
        guard name.utf8.count <= 128 else { return nil }
        let plain = simplified(name)
        let allowed = max(2, plain.count / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let other = simplified(candidate)
            var distance = editDistance(plain, other)
            if distance > allowed, lastPart(plain).count > 2, lastPart(plain) == lastPart(other) { distance = allowed }
            if distance <= allowed && distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    private static func simplified(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    private static func lastPart(_ name: [UInt8]) -> ArraySlice<UInt8> {
        name.lastIndex(of: UInt8(ascii: ".")).map { name[($0 + 1)...] } ?? name[...]
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours between two texts
    /// (optimal string alignment; Damerau 1964).
    package static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var older = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var current = [Int](repeating: i + 1, count: b.count + 1)
            for (j, y) in b.enumerated() {
                current[j + 1] = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y {
                    current[j + 1] = min(current[j + 1], older[j - 1] + 1)
                }
            }
            older = previous
            previous = current
        }
        return previous[b.count]
    }
}
