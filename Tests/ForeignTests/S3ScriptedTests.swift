import Core
import Foreign
import Testing

/// Buckets on servers that answer wrongly, late, or not at all.
@Suite(.timeLimit(.minutes(2))) struct S3ScriptedTests {
    enum Signature: String, Sendable, CaseIterable {
        case v4 = "s3"
        case v2 = "s3+v2"
    }

    /// What a server does with every request, and what GET, PUT, removal and a list are to make of it.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Sent to each request.
        var answer: String
        /// Whether the connection is closed behind it.
        var closes = false
        var kinds: [ObjectFailure.Kind?]
        /// Where libs3, which keeps less of what it was told, sees it otherwise.
        var kindsV2: [ObjectFailure.Kind?]?
        /// What the failure of GET is to say.
        var words = ""
    }

    private static func answer(_ status: String, _ body: String = "", _ headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private static func error(_ code: String) -> String {
        "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>because &lt;so&gt;</Message></Error>"
    }

    private static let broken = [ObjectFailure.Kind?](repeating: .unavailable, count: 4)
    private static let faults = [
        Fault(
            testDescription: "500", answer: answer("500 Oops", error("InternalError")), kinds: broken,
            words: "InternalError: because <so>"),
        Fault(testDescription: "500 without a word", answer: answer("500 Oops"), kinds: broken),
        Fault(
            testDescription: "503", answer: answer("503 Busy", error("SlowDown")),
            kinds: [.busy, .busy, .busy, .busy], words: "SlowDown"),
        Fault(
            testDescription: "a web page instead of an error",
            answer: answer("403 No", "<html><body>Go away<br></body></html>"),
            kinds: [.denied, .denied, .denied, .denied], kindsV2: [.malformed, .malformed, .denied, .malformed]),
        Fault(
            testDescription: "an expired token", answer: answer("400 Bad", error("ExpiredToken")),
            kinds: [.denied, .denied, .malformed, .denied], words: "ExpiredToken"),
        Fault(testDescription: "the end instead of an answer", answer: "", closes: true, kinds: broken),
        Fault(
            testDescription: "a body that breaks off", answer: "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc",
            closes: true, kinds: [.unavailable, .unavailable, .unavailable, .unavailable],
            kindsV2: [.unavailable, .unavailable, .unavailable, nil]),
        Fault(
            testDescription: "a body that is too large", answer: answer("200 OK", String(repeating: "x", count: 101)),
            kinds: [.tooLarge, nil, nil, .malformed], kindsV2: [.tooLarge, .malformed, .unavailable, .malformed]),
    ]

    /// HEAD has no body: what is sent behind its head would be the next answer.
    private func serve(_ connection: ScriptedConnection, _ fault: Fault) {
        while let request = connection.readRequest() {
            let parts = fault.answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let isHead = request.lines[0].hasPrefix("HEAD")
            connection.send(isHead && !fault.answer.isEmpty ? parts[0] + "\r\n\r\n" : fault.answer)
            if fault.closes { return }
        }
    }

    private func fixture(_ signature: Signature, port: Int) throws -> S3Fixture {
        let url = try bucketURL("\(signature.rawValue)://bucket?endpoint=http://127.0.0.1:\(port)&style=path")
        return try S3Fixture(url, BucketCredentials(accessKey: "KEY", secret: Secret("secret")))
    }

    @Test(arguments: Signature.allCases, faults)
    func wrongAnswersAreFailuresOfTheirKind(_ signature: Signature, _ fault: Fault) async throws {
        let server = try ScriptedServer { serve($0, fault) }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        let failures = await fixture.failures(deadline: fixture.deadline)
        let kinds = signature == .v2 ? fault.kindsV2 ?? fault.kinds : fault.kinds
        #expect(failures.map(\.?.kind) == kinds, "\(failures)")
        #expect(fault.words.isEmpty || failures[0]?.message.contains(fault.words) == true, "\(failures)")
    }

    @Test(arguments: Signature.allCases)
    func aSilentServerIsGivenUpAtTheDeadline(_ signature: Signature) async throws {
        let server = try ScriptedServer { $0.waitForClose() }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        #expect(await fixture.failures(deadline: fixture.soon).map(\.?.kind) == Array(repeating: .deadline, count: 4))
    }

    @Test(arguments: Signature.allCases)
    func aBodyThatTricklesIsGivenUpAtTheDeadline(_ signature: Signature) async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nab")
            connection.waitForClose()
        }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        let failures = await fixture.failures(deadline: fixture.soon)
        #expect([failures[0], failures[1], failures[3]].map(\.?.kind) == [.deadline, .deadline, .deadline])
    }

    @Test(arguments: Signature.allCases)
    func aSlowBodyArrivesWhole(_ signature: Signature) async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n")
            for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
                connection.send([letter])
                connection.pause(milliseconds: 3)
            }
        }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        let found = try await fixture.store.get(DirectoryFixture.name("a"), limit: 26, deadline: fixture.deadline)
        #expect(found?.text == "abcdefghijklmnopqrstuvwxyz")
    }

    @Test(arguments: Signature.allCases)
    func aLateAnswerIsNobodysAnswer(_ signature: Signature) async throws {
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                let isLate = request.target.hasSuffix("late")
                if isLate { connection.pause(milliseconds: 400) }
                connection.send(S3ScriptedTests.answer("200 OK", isLate ? "late" : "mine"))
            }
        }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        let failure = await fixture.failure { () async throws(ObjectFailure) in
            _ = try await fixture.store.get(DirectoryFixture.name("late"), limit: 9, deadline: fixture.soon)
        }
        #expect(failure?.kind == .deadline)
        for _ in 0..<5 {
            let found = try await fixture.store.get(DirectoryFixture.name("a"), limit: 9, deadline: fixture.deadline)
            #expect(found?.text == "mine")
        }
    }

    @Test(arguments: Signature.allCases)
    func nobodyThere(_ signature: Signature) async throws {
        let fixture = try fixture(signature, port: ScriptedServer.unusedPort())
        #expect(await fixture.failures(deadline: fixture.deadline).map(\.?.kind) == S3ScriptedTests.broken)
    }

    @Test(
        arguments: Signature.allCases,
        [
            "", "no document", "<ListBucketResult>", "<Other/>", "<ListBucketResult/><ListBucketResult/>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
            "<!DOCTYPE l [<!ENTITY a \"b\">]><ListBucketResult><Contents><Key>&a;</Key></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        ])
    func listsThatAreNoneBringNothing(_ signature: Signature, _ body: String) async throws {
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.send(S3ScriptedTests.answer("200 OK", body)) }
        }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        do throws(ObjectFailure) {
            let page = try await fixture.store.list(
                prefix: "", continuation: nil, limit: 10, deadline: fixture.deadline)
            // libs3 reads what it can; what matters is that nothing is made up and that a list ends.
            #expect(signature == .v2 && page.items.allSatisfy { $0.name.text == "a" } && page.next == nil)
        } catch {
            #expect(error.kind == .malformed)
        }
    }

    @Test(arguments: Signature.allCases)
    func keysOfOthersArePassedOver(_ signature: Signature) async throws {
        let keys = ["a", ".hidden", "b//c", "d/", "e"].map { key in
            "<Contents><Key>\(key)</Key><LastModified>2026-11-24T07:49:46.764Z</LastModified><Size>3</Size></Contents>"
        }
        let body = "<?xml version=\"1.0\"?><ListBucketResult>\(keys.joined())</ListBucketResult>"
        let server = try ScriptedServer { connection in
            while connection.readRequest() != nil { connection.send(S3ScriptedTests.answer("200 OK", body)) }
        }
        defer { server.stop() }
        let fixture = try fixture(signature, port: server.port)
        let page = try await fixture.store.list(prefix: "", continuation: nil, limit: 10, deadline: fixture.deadline)
        #expect(page.items.map(\.name.text) == ["a", "e"])
    }

    @Test func theSessionTokenIsSentAndSigned() async throws {
        let server = try ScriptedServer { connection in
            while let request = connection.readRequest() {
                let isSigned = request.values(of: "Authorization").first?.contains("x-amz-security-token") == true
                let isSent = request.values(of: "X-Amz-Security-Token") == ["token"]
                connection.send(S3ScriptedTests.answer("200 OK", isSigned && isSent ? "yes" : "\(request.lines)"))
            }
        }
        defer { server.stop() }
        let url = try bucketURL("s3://bucket?endpoint=http://127.0.0.1:\(server.port)&region=eu-west-9")
        let credentials = BucketCredentials(accessKey: "KEY", secret: Secret("secret"), sessionToken: Secret("token"))
        let fixture = try S3Fixture(url, credentials)
        let found = try await fixture.store.get(DirectoryFixture.name("a"), limit: 9999, deadline: fixture.deadline)
        #expect(found?.text == "yes")
    }

    @Test func signatureV2HasNoSessionTokens() throws {
        let url = try bucketURL("s3+v2://bucket?endpoint=http://127.0.0.1:1")
        let credentials = BucketCredentials(accessKey: "KEY", secret: Secret("secret"), sessionToken: Secret("token"))
        let failure = #expect(throws: ObjectFailure.self) { try S3Fixture(url, credentials) }
        #expect(failure?.kind == .denied)
    }
}
