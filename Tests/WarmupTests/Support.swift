import Core
import Foreign
import TestKit

@testable import Warmup

let digest = SystemDigest(secret: [1])

/// A counter that has read `text` as one file, in chunks of `size` bytes.
func counted(
    _ text: some Collection<UInt8>, chunks size: Int = 1 << 20, again: Bool = true,
    _ change: (inout PromptCounter.Options) -> Void = { _ in }, keep: ((UnsafeRawBufferPointer) -> LineLocation?)? = nil
) -> PromptCounter {
    var options = PromptCounter.Options()
    options.capacity = 1 << 10
    change(&options)
    let counter = PromptCounter(options: options, digest: digest)
    counter.keep = keep
    counter.begin(source: 0, canBeReadAgain: again)
    let bytes = Array(text)
    for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(bytes.count, start + size)].withUnsafeBytes { counter.feed($0) }
    }
    counter.end()
    return counter
}

/// The line reader of a file that holds `text`.
func reader(_ text: String, _ options: RecordReader.Options = .init()) -> PromptReader {
    let bytes = Array(text.utf8)
    return PromptReader(options: options, digest: digest) { location in
        let range = location.offset..<location.offset + Int(location.length)
        return range.upperBound <= bytes.count ? Array(bytes[range]) : nil
    }
}

func chat(_ text: String, model: String = "m") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}"#
}
