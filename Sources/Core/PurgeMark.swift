/// Which answers a purge is about.
package enum PurgeGroup: Sendable, Hashable {
    case everything
    /// Answers that were finished before a moment.
    case older
    case key(CacheKey)
    case model(String)
    case tag(String)
    case namespace(String)
    /// The first eight bytes of the tenant, as `Entry.Facts.tenant`.
    case tenant(UInt64)
}

/// That a group was purged: its answers that were asked for before are not to be served any more.
///
/// Marks only ever rise, so that any two sets of them are joined by taking the higher of each group, in any order and
/// any number of times.
package struct PurgeMark: Sendable, Hashable {
    package var group: PurgeGroup
    /// Entries of the group with a smaller `Entry.Facts.generation` are purged. For `older`, not a generation but the
    /// moment before which they were created, in milliseconds since 1970.
    package var number: UInt64

    package init(_ group: PurgeGroup, _ number: UInt64) {
        self.group = group
        self.number = number
    }
}

extension PurgeGroup {
    /// The name of the group on the wire: a word, and for most of them a colon and what it is about.
    package var name: String {
        switch self {
        case .everything: "all"
        case .older: "older"
        case .key(let key): "key:" + key.hex
        case .model(let model): "model:" + model
        case .tag(let tag): "tag:" + tag
        case .namespace(let namespace): "namespace:" + namespace
        case .tenant(let tenant): "tenant:" + PurgeGroup.hex(of: tenant)
        }
    }

    /// nil where the text is no group's name.
    package init?(name: String) {
        switch name {
        case "all": self = .everything
        case "older": self = .older
        default:
            guard let colon = name.firstIndex(of: ":") else { return nil }
            self.init(kind: String(name[..<colon]), subject: String(name[name.index(after: colon)...]))
        }
    }

    /// From the word of the kind and what the purge is about; nil where they do not fit together.
    package init?(kind: String, subject: String) {
        switch kind {
        case "key":
            guard let key = CacheKey(hex: subject) else { return nil }
            self = .key(key)
        case "model": self = .model(subject)
        case "tag": self = .tag(subject)
        case "namespace": self = .namespace(subject)
        case "tenant":
            // A sign would be read as part of the number.
            guard subject.utf8.count == 16, subject.first?.isHexDigit == true,
                let number = UInt64(subject, radix: 16)
            else { return nil }
            self = .tenant(number)
        default: return nil
        }
    }

    /// Sixteen digits, as tenants are shown.
    package static func hex(of tenant: UInt64) -> String {
        let digits = String(tenant, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

extension [PurgeMark] {
    /// Those that others lack, or have lower. What everything is purged up to need not be told group by group.
    package func missing(from others: [PurgeMark]) -> [PurgeMark] {
        let numbers = Dictionary(others.map { ($0.group, $0.number) }, uniquingKeysWith: Swift.max)
        let floor = numbers[.everything] ?? 0
        return filter { $0.number > numbers[$0.group] ?? 0 && ($0.group == .older || $0.number > floor) }
    }
}
