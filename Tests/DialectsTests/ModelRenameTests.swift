import Core
import Dialects
import Testing

@Suite struct ModelRenameTests {
    private func rename(_ body: String) -> String {
        renamingModel(in: Bytes(body)) { $0 == "big" ? "their \"big\"" : nil }.text
    }

    @Test(arguments: [
        (#"{"model":"big"}"#, #"{"model":"their \"big\""}"#),
        (
            #" { "a" : 1.0 , "model" : "big" , "b":"\u00e9" } "#,
            #" { "a" : 1.0 , "model" : "their \"big\"" , "b":"\u00e9" } "#
        ),
        (#"{"m\u006fdel":"b\u0069g"}"#, #"{"m\u006fdel":"their \"big\""}"#),
        (#"{"model":"big","model":"big"}"#, #"{"model":"their \"big\"","model":"their \"big\""}"#),
    ]) func onlyTheOutermostValueChanges(body: String, expected: String) { #expect(rename(body) == expected) }

    @Test(arguments: [
        "", "x", #"{"model":"small"}"#, #"{"model":1}"#, #"{"model":["big"]}"#, #"{"x":{"model":"big"}}"#,
        #"["model","big"]"#, #"{"model":"big""#, #"{"model":"big"} x"#, #"{"model":"\ud800"}"#,
    ]) func everythingElseStaysAsItIs(body: String) { #expect(rename(body) == body) }
}
