// The words the table is written in.

extension SettingFormat where Self == DurationFormat {
    static func duration(_ range: ClosedRange<Duration>) -> Self { DurationFormat(range: range) }
}

extension SettingFormat where Self == SizeFormat {
    static func size(_ range: ClosedRange<ByteCount>) -> Self { SizeFormat(range: range) }
}

extension SettingFormat where Self == IntegerFormat {
    static func integer(_ range: ClosedRange<Int>) -> Self { IntegerFormat(range: range) }
}

extension SettingFormat where Self == BooleanFormat {
    static var boolean: Self { BooleanFormat() }
}

extension SettingFormat where Self == AddressFormat {
    static var address: Self { AddressFormat() }
}

extension SettingFormat where Self == SecretFormat {
    static var secret: Self { SecretFormat() }
}

extension SettingFormat where Self == URLFormat {
    static var url: Self { URLFormat() }
}

extension SettingFormat where Self == OptionalURLFormat {
    static var optionalURL: Self { OptionalURLFormat() }
}

extension SettingFormat where Self == PriceFormat {
    static var price: Self { PriceFormat() }
}

extension SettingFormat where Self == RedisURLFormat {
    static var redisURL: Self { RedisURLFormat() }
}

extension SettingFormat where Self == ObjectsURLFormat {
    static var objectsURL: Self { ObjectsURLFormat() }
}

extension SettingFormat where Self == EncryptionKeysFormat {
    static var encryptionKeys: Self { EncryptionKeysFormat() }
}

extension SettingFormat where Self == PartitionFormat {
    static var partition: Self { PartitionFormat() }
}

extension SettingFormat where Self == ChoiceFormat<LogLevel> {
    static var logLevel: Self { ChoiceFormat(choices: LogLevel.allCases.map { ($0.word, $0) }) }
}

extension SettingFormat {
    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable & Equatable>(
        of type: Value.Type
    ) -> Self where Self == ChoiceFormat<Value> {
        ChoiceFormat(choices: Value.allCases.map { ($0.rawValue, $0) })
    }
}

extension SettingFormat where Self == FractionFormat {
    /// In millionths.
    static func fraction(_ range: ClosedRange<Int>) -> Self {
        FractionFormat(range: Fraction(millionths: range.lowerBound)...Fraction(millionths: range.upperBound))
    }
}

extension SettingFormat where Self == TextFormat {
    /// Something to call a thing by, in logs too.
    static var label: Self {
        TextFormat(
            what: "a name of letters, digits, dots, hyphens and underscores, at most 64 bytes", maxBytes: 64,
            allowsEmpty: false
        ) { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95: true
            default: false
            }
        }
    }

    static var modelName: Self {
        TextFormat(what: "the name of a model, at most 256 bytes", maxBytes: 256, allowsEmpty: false) {
            $0 >= 32 && $0 != 127
        }
    }

    /// The name or the address of a server, or nothing.
    static var hostName: Self {
        TextFormat(
            what: "the name of a server, or nothing", maxBytes: 255, allowsEmpty: true,
            isAllowed: NetworkAddress.isHostByte)
    }

    /// A path of the file system, or nothing.
    static var path: Self {
        TextFormat(what: "the path of a file, or nothing", maxBytes: 4096, allowsEmpty: true) { $0 >= 32 && $0 != 127 }
    }
}

extension SettingFormat where Self == PathListFormat {
    static var paths: Self { PathListFormat() }
}

extension SettingFormat where Self == TextListFormat {
    static func headerNames(example: String, forbidden: [String] = [], why: String = "") -> Self {
        TextListFormat(
            what: "header names", example: example, isLowercased: true, isAllowed: HeaderField.isNameByte,
            forbidden: forbidden, why: why)
    }

    static func memberNames(example: String, forbidden: [String], why: String) -> Self {
        TextListFormat(
            what: "member names", example: example, isLowercased: false, isAllowed: { $0 >= 32 && $0 != 127 },
            forbidden: forbidden, why: why)
    }
}

extension Duration {
    static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
