import Core
import Dialects

/// What became of settings that were to be read anew.
package enum ReloadOutcome: Sendable, Equatable {
    /// Names of settings: those that took effect, and those that will with the next start.
    case done(changed: [String], needsRestart: [String])
    /// Something is wrong with them, one line for each thing; all stays as it was.
    case refused(String)

    var answer: AdminPlane.Answer {
        switch self {
        case .done(let changed, let needsRestart):
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("changed", changed)
            writer.member("needsRestart", needsRestart)
            writer.endObject()
            return AdminPlane.Answer(json: writer.bytes)
        case .refused(let message):
            return AdminPlane.Answer(
                status: 422, json: errorBody(dialect: nil, status: 422, code: "bad-settings", message: message).array)
        }
    }
}
