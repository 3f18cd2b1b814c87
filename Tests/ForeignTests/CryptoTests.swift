import Core
import Foreign
import Synchronization
import TestKit
import Testing

@Suite struct CryptoTests {
    private static func sha256(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { SystemDigest(secret: []).sha256($0).hex }
    }

    private static func hmac(_ key: [UInt8], _ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { SystemDigest(secret: key).hmac($0).hex }
    }

    /// The examples of FIPS 180-2, appendix B, and the empty message.
    @Test(arguments: [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]) func hashesTheStandardsExamples(text: String, times: Int, digest: String) {
        #expect(Self.sha256(Array(String(repeating: text, count: times).utf8)) == digest)
    }

    /// RFC 4231, section 4, test cases 1 to 4, 6 and 7.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(UInt8(1)...25), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]) func signsTheStandardsExamples(key: [UInt8], message: [UInt8], digest: String) {
        #expect(Self.hmac(key, message) == digest)
    }

    @Test func isTheSameOnEveryThread() async {
        let digest = SystemDigest(secret: Array("secret".utf8))
        let messages = (0..<200).map { number in [UInt8](repeating: UInt8(number), count: number * 7) }
        let expected = messages.map { message in
            message.withUnsafeBytes { [digest.sha256($0), digest.hmac($0)] }
        }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { _ in
                        messages.map { message in
                            message.withUnsafeBytes { [digest.sha256($0), digest.hmac($0)] }
                        } == expected
                    }
                }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    @Test func randomNumbersDiffer() {
        let random = SystemRandom()
        #expect(Set((0..<1000).map { _ in random.next() }).count == 1000)
        #expect(SystemRandom.bytes(32).count == 32)
        #expect(SystemRandom.bytes(0) == [])
        #expect(SystemRandom.bytes(32) != SystemRandom.bytes(32))
    }

    @Test(arguments: [
        ("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false), ("secret", "secreT", false),
        ("secret", "secret", true),
    ]) func comparesSecrets(a: String, b: String, isEqual: Bool) {
        #expect(constantTimeEqual(Array(a.utf8), Array(b.utf8)) == isEqual)
    }
}
