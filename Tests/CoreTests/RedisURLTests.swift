import Core
import Testing

@Suite struct RedisURLTests {
    private func host(_ name: String, _ port: UInt16 = 6379) -> RedisEndpoint {
        .network(host: name, port: port)
    }

    @Test func readsEveryForm() throws {
        let cases: [(String, [RedisEndpoint], tls: Bool, user: String?, password: String?, database: Int)] = [
            ("redis://localhost", [host("localhost")], false, nil, nil, 0),
            ("REDIS://10.0.0.1:7000/", [host("10.0.0.1", 7000)], false, nil, nil, 0),
            ("redis://[::1]:7000/15", [host("::1", 7000)], false, nil, nil, 15),
            ("redis://[::1]", [host("::1")], false, nil, nil, 0),
            ("rediss://u:p@h:1/2", [host("h", 1)], true, "u", "p", 2),
            ("redis://:p@h", [host("h")], false, nil, "p", 0),
            ("redis://u:@h", [host("h")], false, "u", "", 0),
            ("redis://u%40x:p%3A%2F%40%23%25@h", [host("h")], false, "u@x", "p:/@#%", 0),
            ("redis://u:p:q@h", [host("h")], false, "u", "p:q", 0),
            ("redis://a:1,b,[::1]:3/0", [host("a", 1), host("b"), host("::1", 3)], false, nil, nil, 0),
            ("unix:///run/redis.sock", [.socket("/run/redis.sock")], false, nil, nil, 0),
            ("unix:///run/redis.sock?db=3", [.socket("/run/redis.sock")], false, nil, nil, 3),
            ("unix://u:p@/run/redis.sock", [.socket("/run/redis.sock")], false, "u", "p", 0),
        ]
        for (text, endpoints, tls, user, password, database) in cases {
            let url = try RedisURL(text)
            #expect(url.endpoints == endpoints && url.isTLS == tls, "\(text)")
            #expect(url.user == user && url.password?.revealed == password && url.database == database, "\(text)")
        }
    }

    @Test(arguments: [
        ("", "redis://"), ("localhost:6379", "redis://"), ("http://h", "scheme"), ("redis://", "no host"),
        ("redis://:1", "no host"), ("redis://h:0", "port"), ("redis://h:65536", "port"), ("redis://h:x", "port"),
        ("redis://::1", "brackets"), ("redis://[h]", "brackets"), ("redis://h/x", "database"),
        ("redis://h/-1", "database"), ("redis://h/65536", "database"), ("redis://h/1/2", "database"),
        ("redis://h?db=1", "query"), ("redis://u@h", "user:password"), ("redis://u:%zz@h", "hexadecimal"),
        ("redis://u:%4@h", "hexadecimal"), ("redis://u:%ff@h", "UTF-8"), ("redis://a b", "blank"),
        ("redis://u:a#b@h", "percent-encode"), ("redis://a,,b", "no host"), ("redis://a,", "no host"),
        ("redis://h/é", "database"), ("redis://hé", "not a host"), ("unix://run/x", "whole path"),
        ("unix:///", "whole path"),
        ("unix://", "whole path"), ("unix:///x?y=1", "?db=number"), ("unix:///x?db=", "database"),
        ("unix:///" + String(repeating: "x", count: 107), "107 bytes"),
        ("redis://" + Array(repeating: "h", count: 17).joined(separator: ","), "16 hosts"),
    ]) func saysWhatIsWrong(_ text: String, _ words: String) {
        let failure = #expect(throws: RedisURLFailure.self) { try RedisURL(text) }
        #expect(failure?.description.contains(words) == true, "\(text): \(failure?.description ?? "")")
    }

    @Test func neverTellsThePassword() throws {
        for text in ["redis://u:secret@h:1/2", "unix://u:secret@/x?db=2"] {
            let shown = try RedisURL(text).description
            #expect(shown == text.replacing("secret", with: "***"))
        }
    }

    /// Passwords in which a character is not percent-encoded, so that a part is taken for something else.
    @Test(arguments: [
        "redis://:secret/x@h", "redis://u:secret?x@h", "redis://:1/secret@h", "redis://u:p/secret", "redis://secret@h",
        "redis://u:secret#@h", "redis://u:p@h:secret", "redis://u:%secret@h", "unix://u:secret@run", "secret",
    ])
    func failuresQuoteNothing(_ text: String) {
        let failure = #expect(throws: RedisURLFailure.self) { try RedisURL(text) }
        #expect(failure?.description.contains("secret") == false)
    }

    @Test(arguments: ["redis://h:6379", "rediss://a%20%40:***@h:1,[::1]:2/3", "unix:///run/x", "unix://:***@/x?db=2"])
    func printedItReadsBack(_ text: String) throws {
        #expect(try RedisURL(text).description == text)
    }
}
