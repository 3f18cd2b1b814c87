import Core
import Foreign

/// The dashboard: a page and what it consists of, built into the binary. It holds nothing of the sidecar's; its script asks
/// the admin port like any other client, with the token that its reader gives it.
struct DashboardPage: Sendable {
    private let bytes: Bytes
    private let type: String

    static let page = DashboardPage(PackageResources.index_html, "text/html; charset=utf-8")
    static let style = DashboardPage(PackageResources.style_css, "text/css; charset=utf-8")
    static let charts = DashboardPage(PackageResources.charts_js, "text/javascript; charset=utf-8")
    static let semantic = DashboardPage(PackageResources.semantic_js, "text/javascript; charset=utf-8")
    static let script = DashboardPage(PackageResources.dashboard_js, "text/javascript; charset=utf-8")

    private init(_ bytes: [UInt8], _ type: String) {
        self.bytes = Bytes(bytes)
        self.type = type
    }

    /// What a browser that shows the page may load and do: its own parts, and to ask where they came from.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    func response() -> HTTPResponse {
        let response = HTTPResponse(body: bytes)
        for (name, value) in [
            ("Content-Type", type), ("Content-Security-Policy", DashboardPage.policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
            // Another build may answer at the same address tomorrow.
            ("Cache-Control", "no-cache"),
        ] {
            response.add(name, value)
        }
        return response
    }
}
