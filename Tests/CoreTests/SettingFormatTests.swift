import Testing

@testable import Core

/// Every form a value can be written in: what is read, how it is printed, what is refused.
@Suite struct SettingFormatTests {
    private func node(_ text: String) -> ConfigNode { ConfigNode(.scalar(text), at: .builtIn) }

    private func read<Format: SettingFormat>(_ format: Format, _ text: String) -> Format.Value? {
        try? format.read(node(text), name: "x")
    }

    @Test(arguments: [
        ("0", 0, "0"), ("0s", 0, "0"), ("20ms", 20, "20ms"), ("5s", 5_000, "5s"), ("90s", 90_000, "90s"),
        ("10m", 600_000, "10m"), ("24h", 86_400_000, "1d"), ("7d", 604_800_000, "7d"), ("1500ms", 1_500, "1500ms"),
    ])
    func durations(text: String, milliseconds: Int64, printed: String) {
        let value = read(DurationFormat(range: .zero ... .seconds(86_400 * 365)), text)
        #expect(value?.milliseconds == milliseconds)
        #expect(value.map(DurationFormat.print) == printed)
    }

    @Test(arguments: [
        "", "5", "s", "-5s", "+5s", "5 s", "5S", "5sec", "1h30m", "1.5s", "٣s", "99999999999999999999s",
        "9223372036854775807d", "366d", "0x10s",
    ])
    func refusedDurations(text: String) {
        #expect(read(DurationFormat(range: .zero ... .seconds(86_400 * 365)), text) == nil)
    }

    @Test(arguments: [
        ("0", 0, "0"), ("512B", 512, "512B"), ("64KiB", 65_536, "64KiB"), ("64KB", 64_000, "64000B"),
        ("256MiB", 268_435_456, "256MiB"), ("1GiB", 1_073_741_824, "1GiB"), ("1024MiB", 1_073_741_824, "1GiB"),
        ("3MB", 3_000_000, "3000000B"), ("2GB", 2_000_000_000, "1953125KiB"), ("1TiB", 1_099_511_627_776, "1TiB"),
    ])
    func sizes(text: String, bytes: Int, printed: String) {
        let value = read(SizeFormat(range: ByteCount(bytes: 0)...ByteCount.gibibytes(2048)), text)
        #expect(value?.bytes == bytes)
        #expect(value.map(SizeFormat.print) == printed)
    }

    @Test(arguments: ["", "5", "B", "-1B", "1.5GiB", "1 GiB", "1kib", "1k", "9223372036854775807KiB", "3000GiB"])
    func refusedSizes(text: String) {
        #expect(read(SizeFormat(range: ByteCount(bytes: 0)...ByteCount.gibibytes(2048)), text) == nil)
    }

    @Test(arguments: [("1", 1), ("7", 7), ("10", 10), ("0", nil), ("11", nil), ("", nil), ("1.0", nil), ("x", nil)])
    func integers(text: String, value: Int?) {
        #expect(read(IntegerFormat(range: 1...10), text) == value)
    }

    @Test(arguments: [("true", true), ("false", false), ("yes", nil), ("True", nil), ("1", nil), ("", nil)])
    func booleans(text: String, value: Bool?) {
        #expect(read(BooleanFormat(), text) == value)
    }

    @Test(arguments: [
        ("127.0.0.1:8400", "127.0.0.1", 8400), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65535),
    ])
    func addresses(text: String, host: String, port: UInt16) {
        #expect(read(AddressFormat(), text) == NetworkAddress(host: host, port: port))
        #expect(NetworkAddress(host: host, port: port).description == text)
    }

    @Test(arguments: [
        "", ":8400", "8400", "127.0.0.1", "127.0.0.1:", "h:65536", "h:-1", "h:+1", "::1:80", "[]:80", "a b:1",
    ])
    func refusedAddresses(text: String) {
        #expect(read(AddressFormat(), text) == nil)
    }

    @Test(arguments: [
        ("https://api.deepseek.com", "https://api.deepseek.com"),
        ("HTTP://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("https://host/v1//", "https://host/v1"),
        ("http://[::1]:80/base", "http://[::1]:80/base"),
        ("http://[::1]", "http://[::1]"),
    ])
    func urls(text: String, printed: String) {
        #expect(read(URLFormat(), text)?.description == printed)
        #expect(read(URLFormat(), printed)?.description == printed)
    }

    @Test(arguments: [
        "", "api.deepseek.com", "ftp://host", "http://", "http:///v1", "http://host:0", "http://host:x",
        "http://user:pass@host", "http://host/?q", "http://host/#f", "http://ho st", "http://host\r\n", "http://::1",
        "http://[::1", "https://höst",
    ])
    func refusedURLs(text: String) {
        #expect(read(URLFormat(), text) == nil)
    }

    @Test(
        arguments: [
            ("api-key", .apiKey), ("shared", .shared), ("header:X-Team", .header("x-team")), ("header:", nil),
            ("header:a b", nil), ("apikey", nil),
        ] as [(String, Settings.Partition?)])
    func partitions(text: String, value: Settings.Partition?) {
        #expect(read(PartitionFormat(), text) == value)
    }

    @Test func listsRefuseWhatWouldServeWrongAnswers() throws {
        let setting = try #require(SettingsTable.all.first { $0.name == "cache.leftOut" })
        var settings = Settings()
        for member in ["model", "messages", "input", "prompt"] {
            let list = ConfigNode(.list([node("user"), node(member)]), at: .builtIn)
            #expect(throws: SettingsError.self) { try setting.read(list, into: &settings) }
        }
        #expect(settings == Settings())
    }

    @Test func listsAreBoundedLowerCasedAndWithoutDuplicates() throws {
        let setting = try #require(SettingsTable.all.first { $0.name == "cache.keyHeaders" })
        var settings = Settings()
        let list = ConfigNode(.list([node("X-A"), node("x-b"), node("x-a")]), at: .builtIn)
        try setting.read(list, into: &settings)
        #expect(settings.cache.keyHeaders == ["x-a", "x-b"])
        let long = ConfigNode(.list((0...TextListFormat.maxItems).map { node("x-\($0)") }), at: .builtIn)
        #expect(throws: SettingsError.self) { try setting.read(long, into: &settings) }
    }

    @Test func pathsAreOneOrSeveral() throws {
        let format = PathListFormat()
        func list(_ texts: [String]) -> ConfigNode {
            ConfigNode(.list(texts.map { ConfigNode(.scalar($0), at: .builtIn) }), at: .builtIn)
        }
        #expect(try format.read(node("/var/log/a b"), name: "x") == ["/var/log/a b"])
        #expect(try format.read(node(""), name: "x") == [])
        #expect(try format.read(list(["a", "", "b", "a"]), name: "x") == ["a", "b"])
        for bad in [list(["a\nb"]), list((0..<65).map { "\($0)" }), ConfigNode(.list([list([])]), at: .builtIn)] {
            #expect(throws: SettingsError.self) { try format.read(bad, name: "x") }
        }
    }

    @Test(
        arguments: [
            ("0", 0.0), ("1", 1), ("0.5", 0.5), ("12.125", 12.125), ("20", 20), ("20.5", nil), ("", nil), (".5", nil),
            ("1.", nil), ("0.1234", nil), ("-1", nil), ("1e1", nil), ("nan", nil), ("1,5", nil), ("0x1", nil),
        ] as [(String, Double?)]) func decimals(text: String, value: Double?)
    {
        let format = DecimalFormat(range: 0...20)
        #expect(read(format, text) == value)
        if let value { #expect(format.write(value) == .scalar(text)) }
    }

    private func table(_ members: [(String, String)]) -> ConfigNode {
        ConfigNode(
            .map(members.map { ConfigNode.Member(name: $0.0, place: .builtIn, value: node($0.1)) }), at: .builtIn)
    }

    @Test func headersAreReadAndNeverShown() throws {
        let format = SecretHeadersFormat()
        let read = try format.read(table([("X-Team", "hunter2 and more"), ("cookie", "")]), name: "x")
        #expect(read == [SecretHeader("x-team", Secret("hunter2 and more")), SecretHeader("cookie", Secret(""))])
        #expect(ConfigPrinter.flow(ConfigNode(format.write(read), at: .builtIn)) == #"{x-team: "***", cookie: ""}"#)
        for wrong in [
            [("Host", "a")], [("x-refrain-ttl", "1")], [("a b", "c")], [("", "c")], [("x", "hunter2\n")],
            [("X", "hunter2"), ("x", "hunter2")], (0...32).map { ("x-\($0)", "hunter2") },
        ] {
            let error = #expect(throws: SettingsError.self) { try format.read(table(wrong), name: "x") }
            #expect(error?.description.contains("hunter2") == false)
        }
    }

    @Test func modelsByOtherNames() throws {
        let format = ModelMapFormat()
        let models = try format.read(table([("gpt-4o", "llama"), ("a/b", "c d")]), name: "x")
        #expect(models == ["gpt-4o": "llama", "a/b": "c d"])
        let again = try format.read(ConfigNode(format.write(models), at: .builtIn), name: "x")
        let nothing = try format.read(node(""), name: "x")
        #expect(again == models && nothing == [:])
        for wrong in [table([("a", "")]), table([("", "a")]), node("a"), ConfigNode(.list([]), at: .builtIn)] {
            #expect(throws: SettingsError.self) { try format.read(wrong, name: "x") }
        }
    }

    @Test func secretsAreSeenNowhere() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, String(describing: Optional(secret))] {
            #expect(!text.contains("hunter2"))
        }
        #expect(Secret("").description == "")
        let error = #expect(throws: SettingsError.self) { try SecretFormat().read(node("hunter2 "), name: "x") }
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func valuesInErrorsAreShortAndOnOneLine() {
        let text = quoted("a\nb\u{1B}[31m" + String(repeating: "x", count: 500))
        #expect(text.hasPrefix("\"a?b?[31mxxx"))
        #expect(text.count < 70)
    }
}
