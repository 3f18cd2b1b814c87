import Testing

@testable import Core

@Suite struct SemanticErrorsTests {
    @Test func bothComeWithAnInterval() throws {
        #expect(SemanticErrors(wrong: 0, of: 0, hits: 5, requests: 10) == nil)
        let errors = try #require(SemanticErrors(wrong: 1, of: 100, hits: 250, requests: 1_000))
        #expect(errors.perHit.error == 0.01)
        #expect(errors.perHit.errorLow > 0.001 && errors.perHit.errorHigh < 0.06)
        #expect(errors.perRequest.error == 0.0025)
        #expect(errors.perRequest.errorHigh == errors.perHit.errorHigh / 4)
        #expect(errors.perRequest.errorLow == errors.perHit.errorLow / 4)
    }

    /// Of ten requests, one of them a bypass, two were served by meaning and four compared, of which one was wrong.
    @Test func theyAreReadFromTheCounters() throws {
        let registry = MetricsRegistry(version: "test")
        registry.readSemanticErrors()
        let block = registry.makeBlock()
        func gauges() -> [Double] { registry.values(of: .semanticErrors).map(\.value) }
        #expect(SemanticErrors(registry) == nil)
        #expect(gauges() == [0, 0, 1, 0, 0, 1])
        for outcome in [Outcome.Kind.semantic, .semantic, .hit, .miss, .miss, .miss, .miss, .miss, .miss, .bypass] {
            block.countRequest(.chat, outcome, status: 200, duration: 1)
        }
        for _ in 0..<4 { block.countSemantic(.compared) }
        for verdict in [SemanticVerdict.right, .right, .wrong] { block.countObservation(by: .comparison, verdict) }
        block.countObservation(by: .judge, .right)
        // What people say of answers that they picked says nothing about the others.
        for _ in 0..<9 { block.countObservation(by: .person, .wrong) }
        let errors = try #require(SemanticErrors(registry))
        #expect(errors == SemanticErrors(wrong: 1, of: 4, hits: 6, requests: 9))
        #expect(errors.perHit.error == 0.25)
        #expect(gauges() == [errors.perHit, errors.perRequest].flatMap { [$0.error, $0.errorLow, $0.errorHigh] })
    }
}
