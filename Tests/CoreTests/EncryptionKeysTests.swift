import Core
import FoundationEssentials
import TestKit
import Testing

@Suite struct EncryptionKeysTests {
    private let zeros = String(repeating: "0", count: 64)
    private let ones = String(repeating: "Ff", count: 32)

    @Test func readsBothNotationsInOrder() throws {
        let keys = try EncryptionKeys(list: "\(ones),\(String(repeating: "A", count: 43))=")
        #expect(keys.keys == [[UInt8](repeating: 255, count: 32), [UInt8](repeating: 0, count: 32)])
    }

    @Test func base64IsThatOfEverybody() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = Data(key).base64EncodedString()
            let bare = text.dropLast().replacing("+", with: "-").replacing("/", with: "_")
            #expect(try EncryptionKeys(list: text).keys == [key], "seed \(seed)")
            #expect(try EncryptionKeys(list: String(bare)).keys == [key], "seed \(seed)")
        }
    }

    @Test func aFileHasOneKeyALineAndRemarks() throws {
        let text = "# new\r\n  \(ones) \t\r\n\r\n#old\n\t\(zeros)"
        #expect(try EncryptionKeys(lines: text).keys.count == 2)
    }

    @Test func whatIsNoKeyIsRefusedAndNotQuoted() {
        let base64 = String(repeating: "A", count: 43)
        let most = (0...EncryptionKeys.most).map { String(repeating: "0", count: 62) + (10 + $0).description }
        let cases: [(String, String)] = [
            ("", "key 1 is neither"), ("\(ones),", "key 2 is neither"), (",\(ones)", "key 1 is neither"),
            (String(ones.dropLast()), "key 1 is neither"), (ones + "0", "key 1 is neither"),
            ("\(ones.dropLast())g", "key 1 is neither"), ("\(ones), \(zeros)", "key 2 is neither"),
            (base64 + "==", "key 1 is neither"), ("\(base64.dropLast())B", "key 1 is neither"),
            ("\(base64.dropLast())=", "key 1 is neither"), ("\(zeros),\(base64)=", "key 2 is there twice"),
            (most.joined(separator: ","), "more than 16"),
        ]
        for (list, words) in cases {
            let failure = #expect(throws: EncryptionKeys.Invalid.self, "\(list)") { try EncryptionKeys(list: list) }
            #expect(failure?.description.contains(words) == true, "\(list): \(failure?.description ?? "")")
        }
        for lines in ["", "# none\n", "\(ones) \(zeros)", "\(ones) # remark"] {
            #expect(throws: EncryptionKeys.Invalid.self, "\(lines)") { try EncryptionKeys(lines: lines) }
        }
    }

    @Test func theyAreSeenNowhere() throws {
        let source = EncryptionKeySource.given(try EncryptionKeys(list: ones))
        var dumped = ""
        dump(source, to: &dumped)
        for text in ["\(source)", String(reflecting: source), dumped] {
            #expect(!text.contains("255") && !text.lowercased().contains("ff,"))
        }
    }
}
