import Core
import Foreign
import Warmup

/// The log files of a command: read once each, and again at places. Belongs to one thread at a time.
final class LogInput {
    let paths: [String]
    /// Files that could not be read, or not to their ends.
    private(set) var broken: [String] = []
    private var files: [LogFile?] = []
    private var spool: SpoolFile?
    private let spoolLimit: Int

    /// Files that can be read again stay open, and a process may have some thousand open at once.
    private static let mostFiles = 500

    static func check(_ paths: [String]) throws(CommandFailure) {
        guard paths.count <= mostFiles else {
            throw .wrongUse(
                "these are \(paths.count) files and at most \(mostFiles) are read at once; pipe them: cat … | … -")
        }
        guard paths.count(where: { $0 == "-" }) <= 1 else { throw .wrongUse("- is given twice; write it once") }
    }

    /// `spoolLimit` is how many bytes may be kept of sources that cannot be read again.
    init(_ paths: [String], spoolLimit: Int = 4 << 30) {
        self.paths = paths
        self.spoolLimit = spoolLimit
    }

    /// Opens the next file; false where it cannot be read.
    func open(_ source: Int, begin: (_ source: Int, _ canBeReadAgain: Bool) -> Void) -> Bool {
        do throws(InputFile.Unreadable) {
            let file = try LogFile(paths[source])
            files.append(file)
            begin(source, file.canBeReadAgain)
            return true
        } catch {
            files.append(nil)
            broken.append(error.description)
            return false
        }
    }

    /// Lends the next bytes of an open file; false at its end, and where it breaks off: what was read is used.
    func next(_ source: Int, _ feed: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let file = files[source] else { return false }
        do throws(InputFile.Unreadable) {
            // A log that grows while it is read is read as far as it went when it was opened.
            if !file.isReadAsOpened, try file.next(feed) { return true }
        } catch {
            broken.append(error.description + "; what came before was used")
        }
        // What cannot be read again needs to stay open no longer.
        if !file.canBeReadAgain { files[source] = nil }
        return false
    }

    /// How far an open file is read, in bytes of it; no `size` where it is not known.
    func progress(_ source: Int) -> (name: String, position: Int, size: Int?) {
        (InputFile.name(paths[source]), files[source]?.position ?? 0, files[source]?.size)
    }

    /// Keeps a line of a source that cannot be read again.
    func keep(_ line: UnsafeRawBufferPointer) -> LineLocation? {
        if spool == nil { spool = SpoolFile(limit: spoolLimit) }
        return spool?.append(line).map {
            LineLocation(source: LineLocation.spool, offset: $0, length: UInt32(truncatingIfNeeded: line.count))
        }
    }

    func line(at location: LineLocation) -> [UInt8]? {
        let count = Int(location.length)
        if location.source == LineLocation.spool { return spool?.read(at: location.offset, count: count) }
        guard Int(location.source) < files.count else { return nil }
        return files[Int(location.source)]?.read(at: location.offset, count: count)
    }

    /// `access.jsonl:12`, for people.
    func name(_ place: LinePlace) -> String { "\(InputFile.name(paths[place.source])):\(place.line)" }

    /// One line for each reason, with the first places.
    func lines<Reason>(_ tally: LineTally<Reason>, meaning: (Reason) -> String) -> [String] {
        tally.rows.map { row in
            let places = row.first.map { name($0) }.joined(separator: ", ") + (row.count > row.first.count ? ", …" : "")
            return "\(row.count) line\(row.count == 1 ? "" : "s") not used: the line \(meaning(row.reason)) (\(places))"
        }
    }
}

extension PromptCounter {
    /// Counts what the logs hold; false where it was stopped before. `progress` is called now and then with the number of
    /// the log that is read.
    func read(_ input: LogInput, isStopped: () -> Bool, progress: (Int) -> Void = { _ in }) -> Bool {
        keep = { input.keep($0) }
        for source in input.paths.indices where input.open(source, begin: begin) {
            while input.next(source, feed) {
                if isStopped() { return false }
                progress(source)
            }
            end()
        }
        return true
    }
}

extension JSONWriter {
    /// An array of `{"reason":…,"count":…,"first":["file:line",…]}`.
    mutating func member<Reason>(
        _ name: String, _ tally: LineTally<Reason>, of input: LogInput, word: (Reason) -> String
    ) {
        self.name(name)
        beginArray()
        for row in tally.rows {
            beginObject()
            member("reason", word(row.reason))
            member("count", row.count)
            member("first", row.first.map { input.name($0) })
            endObject()
        }
        endArray()
    }
}
