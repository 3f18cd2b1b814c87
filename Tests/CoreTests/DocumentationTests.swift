import Core
import FoundationEssentials
import Testing

/// The generated pages on disk are what the tables of this build render.
@Suite struct DocumentationTests {
    @Test(arguments: ["docs/configuration.md", "docs/metrics.md", "config/refrain.yaml"])
    func pagesAreCurrent(path: String) {
        let rendered =
            switch path {
            case "docs/configuration.md": SettingsReference.markdown()
            case "docs/metrics.md": MetricsReference.markdown()
            default: SettingsReference.yaml()
            }
        var root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        root.removeLast(3)
        let file = root.joined(separator: "/") + "/" + path
        let found = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
        // Compared outside the expectation, which would print both pages.
        let isCurrent = found == rendered
        #expect(isCurrent, "\(path) is out of date: run `make docs`")
    }
}
