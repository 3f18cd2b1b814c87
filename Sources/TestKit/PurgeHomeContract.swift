import Core

/// What every home of marks must do, whatever it is made of: run each check against an empty one.
package struct PurgeHomeContract: Sendable, CustomStringConvertible {
    /// An empty home, and a deadline that is far enough for everything.
    package struct Subject: Sendable {
        package var home: any PurgeHome
        package var deadline: Int64

        package init(home: any PurgeHome, deadline: Int64) {
            self.home = home
            self.deadline = deadline
        }
    }

    package let description: String
    private let check: @Sendable (Subject) async throws -> [String]

    private init(
        _ description: String, _ check: @escaping @Sendable (Subject) async throws -> [String]
    ) {
        self.description = description
        self.check = check
    }

    /// What was wrong, in words.
    package func violations(_ subject: Subject) async -> [String] {
        do {
            return try await check(subject)
        } catch {
            return ["failed: \(error)"]
        }
    }

    package static let all = [
        PurgeHomeContract("an empty home has no mark, and a revision that stays") { subject in
            let revisions = [try await subject.revision(), try await subject.revision()]
            let marks = try await subject.marks()
            return (marks.isEmpty ? [] : ["found \(marks)"])
                + (revisions[0] == revisions[1] ? [] : ["revisions \(revisions)"])
        },
        PurgeHomeContract("a raised mark is kept, of every kind of group") { subject in
            var raised: [PurgeGroup: UInt64] = [:]
            for group in groups { raised[group] = try await subject.raise(group).number }
            return try await difference(subject, raised)
        },
        PurgeHomeContract("a number is above all others and above the floor") { subject in
            var last: UInt64 = 0
            var faults: [String] = []
            for (index, group) in (groups + groups).enumerated() {
                let floor = index.isMultiple(of: 3) ? last + 1_000_000_000_000 : 0
                let number = try await subject.raise(group, above: floor).number
                if number <= last || number <= floor { faults.append("\(number) after \(last), floor \(floor)") }
                last = number
            }
            try await subject.join([PurgeMark(.tag("joined"), last + 5000)])
            let number = try await subject.raise(.everything).number
            return faults + (number > last + 5000 ? [] : ["\(number) is not above a joined mark"])
        },
        PurgeHomeContract("raising at the same time gives different numbers") { subject in
            let numbers = await withTaskGroup(of: (PurgeGroup, UInt64?).self) { tasks in
                for index in 0..<40 {
                    let group = PurgeGroup.tag("t\(index % 7)")
                    tasks.addTask { (group, try? await subject.raise(group).number) }
                }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
            var highest: [PurgeGroup: UInt64] = [:]
            for (group, number) in numbers { highest[group] = max(number ?? 0, highest[group] ?? 0) }
            let distinct = Set(numbers.compactMap(\.1)).count
            return (distinct == 40 ? [] : ["\(distinct) numbers for 40 purges"])
                + (try await difference(subject, highest))
        },
        PurgeHomeContract("the revision changes when a mark rises, and only then") { subject in
            let mark = try await subject.raise(.tag("a"))
            var revisions = [try await subject.revision()]
            try await subject.join([mark, PurgeMark(.tag("a"), mark.number - 1)])
            let isSteady = try await subject.revision() == revisions[0]
            try await subject.join([PurgeMark(.tag("a"), mark.number + 1)])
            revisions.append(try await subject.revision())
            try await subject.join([PurgeMark(.tag("b"), 1)])
            revisions.append(try await subject.revision())
            _ = try await subject.raise(.tag("b"))
            revisions.append(try await subject.revision())
            return (isSteady ? [] : ["the revision changed without a mark that rose"])
                + (Set(revisions).count == revisions.count ? [] : ["the revision stayed: \(revisions)"])
        },
        PurgeHomeContract("the moment of an age is no generation") { subject in
            let moment: UInt64 = 1 << 50
            try await subject.join([PurgeMark(.older, moment)])
            let number = try await subject.raise(.everything).number
            return (number < moment ? [] : ["raised above the moment"])
                + (try await difference(subject, [.older: moment, .everything: number]))
        },
        PurgeHomeContract("names survive, whatever is in them") { subject in
            let names = [
                "", " ", "a b", "a:b", "ü日本", "%2F", "../x", "*?[", "\"'\\", String(repeating: "n", count: 4000),
            ]
            var expected: [PurgeGroup: UInt64] = [:]
            for name in names {
                for group in [PurgeGroup.model(name), .tag(name), .namespace(name)] {
                    expected[group] = try await subject.raise(group).number
                }
            }
            return try await difference(subject, expected)
        },
    ]

    /// Joining random marks in any order, any number of times and any parts comes to the highest of each group.
    package static func joiningIsAJoin(_ subject: Subject, seed: UInt64) async -> [String] {
        var random = SeededRandom(seed: seed)
        var expected: [PurgeGroup: UInt64] = [:]
        var marks: [PurgeMark] = []
        for _ in 0..<40 {
            let mark = PurgeMark(groups[Int(random.next() % UInt64(groups.count))], 1 + random.next() % 100)
            expected[mark.group] = max(mark.number, expected[mark.group] ?? 0)
            marks += Array(repeating: mark, count: 1 + Int(random.next() % 3))
        }
        marks.shuffle(using: &random)
        do throws(PurgeHomeFailure) {
            while !marks.isEmpty {
                let count = min(marks.count, 1 + Int(random.next() % 30))
                try await subject.join(Array(marks.prefix(count)))
                marks.removeFirst(count)
            }
            return try await difference(subject, expected).map { "seed \(seed): \($0)" }
        } catch {
            return ["seed \(seed) failed: \(error)"]
        }
    }

    /// One of each kind, and more of the kinds that are told apart by a name.
    private static let groups: [PurgeGroup] = [
        .everything, .key(CacheKey(1, 2, 3, 4)), .key(CacheKey(1, 2, 3, 5)), .model("gpt"), .tag("a"), .tag("b"),
        .namespace("a"), .tenant(7), .tenant(.max),
    ]

    private static func difference(
        _ subject: Subject, _ expected: [PurgeGroup: UInt64]
    ) async throws(PurgeHomeFailure) -> [String] {
        var found: [PurgeGroup: UInt64] = [:]
        for mark in try await subject.marks() { found[mark.group] = max(mark.number, found[mark.group] ?? 0) }
        return Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.map { group in
            "\(group.name.prefix(80)): found \(found[group] ?? 0), expected \(expected[group] ?? 0)"
        }
    }
}

extension PurgeHomeContract.Subject {
    fileprivate func marks() async throws(PurgeHomeFailure) -> [PurgeMark] { try await home.marks(deadline: deadline) }

    fileprivate func revision() async throws(PurgeHomeFailure) -> UInt64 { try await home.revision(deadline: deadline) }

    fileprivate func raise(
        _ group: PurgeGroup, above floor: UInt64 = 0
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        try await home.raise(group, above: floor, deadline: deadline)
    }

    fileprivate func join(_ marks: [PurgeMark]) async throws(PurgeHomeFailure) {
        try await home.join(marks, deadline: deadline)
    }
}
