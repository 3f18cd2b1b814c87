import Core
import TestKit
import Testing

private struct Count: Tally, Equatable {
    var name = 0
    var seen = 0
    mutating func add(_ other: Count) { seen += other.seen }
}

extension TopTable where Row == Count {
    fileprivate mutating func see(_ subject: Int) {
        // Spread as hashes are, and never the same for two subjects.
        let id = UInt64(subject + 1) &* 0x9E37_79B9_7F4A_7C15
        let row = row(of: id) { $0.name = subject }
        self[row].seen += 1
    }
}

@Suite struct TopTableTests {
    @Test func countsExactlyWhileThereIsRoom() {
        var table = TopTable(sets: 1, ways: 8, blank: Count())
        for subject in 0..<8 { for _ in 0...subject { table.see(subject) } }
        #expect(table.all.sorted { $0.name < $1.name } == (0..<8).map { Count(name: $0, seen: $0 + 1) })
        #expect(table.rest == Count())
    }

    @Test(arguments: [(1, 16), (8, 4), (64, 1)])
    func nothingIsLostOrCountedTwice(sets: Int, ways: Int) {
        var random = SeededRandom(seed: 7)
        var table = TopTable(sets: sets, ways: ways, blank: Count())
        var truth: [Int: Int] = [:]
        for _ in 0..<20_000 {
            // Few subjects are frequent, most are rare.
            let subject = Int(1 / Double.random(in: 0.0001..<1, using: &random))
            truth[subject, default: 0] += 1
            table.see(subject)
        }
        #expect(table.all.reduce(0) { $0 + $1.seen } + table.rest.seen == 20_000)
        #expect(table.all.count <= sets * ways)
        #expect(Set(table.all.map(\.name)).count == table.all.count)
        for row in table.all { #expect(row.seen <= truth[row.name] ?? 0, "\(row.name)") }
    }

    /// Space-Saving: what makes up more than one in `ways` of a set's stream has a row there.
    @Test func theFrequentAreFoundAmongManyThatAreRare() {
        var random = SeededRandom(seed: 11)
        var table = TopTable(sets: 1, ways: 64, blank: Count())
        for step in 0..<50_000 {
            table.see(step % 20 == 0 ? 1_000_000 + step / 20 % 2 : Int.random(in: 0..<1_000_000, using: &random))
        }
        let names = Set(table.all.map(\.name))
        #expect(names.isSuperset(of: [1_000_000, 1_000_001]))
    }
}
