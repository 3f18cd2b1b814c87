import Core
import FoundationEssentials
import Testing

/// The generated pages on disk are what the tables of this build render.
@Suite struct DocumentationTests {
    @Test(arguments: [
        ("docs/configuration.md", SettingsReference.markdown()), ("docs/metrics.md", MetricsReference.markdown()),
        ("config/refrain.yaml", SettingsReference.yaml()),
    ])
    func pagesAreCurrent(path: String, rendered: String) {
        var root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        root.removeLast(3)
        let file = root.joined(separator: "/") + "/" + path
        let found = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
        #expect(found == rendered, "\(path) is out of date: run `make docs`")
    }
}
