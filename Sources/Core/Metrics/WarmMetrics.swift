/// How a run of scheduled warming ended.
package enum WarmRunEnd: String, MetricLabelValue {
    /// Every prompt of its plan was looked at.
    case complete
    /// The tokens were used up.
    case budget
    /// So many prompts failed in a row that the others would have, too.
    case failing
    /// There was nothing to read.
    case unreadable
    /// The sidecar was told to stop.
    case stopped

    package var labelSentence: String? {
        switch self {
        case .complete: "Every prompt of its plan was looked at."
        case .budget: "Its tokens were used up."
        case .failing: "Prompts failed one after the other, and it gave up."
        case .unreadable: "None of the logs could be read."
        case .stopped: "The sidecar was told to stop."
        }
    }
}

/// What became of one prompt of scheduled warming.
package enum WarmPromptResult: String, MetricLabelValue {
    case hit, asked, refreshed, failed

    package var labelSentence: String? {
        switch self {
        case .hit: "Its answer was there."
        case .asked: "Its answer was missing, and the model was asked."
        case .refreshed: "Its answer was about to expire, and the model was asked anew."
        case .failed: "There is no answer that could be kept."
        }
    }
}

/// The first digit of an HTTP status.
package enum StatusClass: String, MetricLabelValue {
    case success = "2xx"
    case redirect = "3xx"
    case clientError = "4xx"
    case serverError = "5xx"

    package init(status: Int) {
        switch status {
        case ..<300: self = .success
        case ..<400: self = .redirect
        case ..<500: self = .clientError
        default: self = .serverError
        }
    }

    package var labelIndex: Int {
        switch self {
        case .success: 0
        case .redirect: 1
        case .clientError: 2
        case .serverError: 3
        }
    }
}
