import Core
import Foreign

/// The object store that a URL names, made with the driver that speaks to it.
struct ObjectPlace: Sendable {
    let store: any ObjectStore
    /// The store where it is a directory, which knows what it holds.
    let directory: DirectoryStore?
    private let end: @Sendable () -> Void

    /// The largest file of authorities or credentials that is read, in bytes.
    private static let longestFile = 4 << 20

    /// - Parameters:
    ///   - environment: where credentials of a bucket may be.
    ///   - loop: keeps deadlines.
    init(
        _ url: ObjectsURL, _ settings: Settings.Objects, environment: [(name: String, value: String)],
        loop: EventLoop, clock: any Clock, log: any Log
    ) throws(CommandFailure) {
        let scheduler = LoopScheduler(loop: loop)
        do {
            switch url {
            case .directory(let path):
                var options = DirectoryStore.Options(capacity: Int64(settings.capacity.bytes))
                options.sync = settings.sync
                let store = try DirectoryStore(
                    path: path, options: options, clock: clock, random: SystemRandom(), scheduler: scheduler, log: log)
                (self.store, directory, end) = (store, store, { store.close() })
            case .bucket(let url):
                let credentials = try ObjectPlace.credentials(url, settings, environment)
                if let file = url.caFile { _ = try InputFile.read(file, limit: ObjectPlace.longestFile) }
                switch url.signature {
                case .v4:
                    let store = try S3Store(url: url, credentials: credentials, clock: clock)
                    (self.store, directory, end) = (store, nil, { store.close() })
                case .v2:
                    let store = try S3V2Store(url: url, credentials: credentials, clock: clock, scheduler: scheduler)
                    (self.store, directory, end) = (store, nil, { store.close() })
                }
            }
        } catch let failure as ObjectFailure {
            throw .failed("objects.url: \(failure.message)")
        } catch {
            throw .failed("objects.url: \(error)")
        }
    }

    /// Calls that are under way or come later fail.
    func close() { end() }

    private static func credentials(
        _ url: BucketURL, _ settings: Settings.Objects, _ environment: [(name: String, value: String)]
    ) throws(BucketCredentials.Missing) -> BucketCredentials {
        let named = settings.credentialsFile.isEmpty ? url.credentialsFile : settings.credentialsFile
        return try BucketCredentials(
            file: named, environment: Dictionary(environment.map { ($0.name, $0.value) }) { first, _ in first }
        ) { path throws(BucketCredentials.Missing) in
            do throws(InputFile.Unreadable) {
                return String(decoding: try InputFile.read(path, limit: longestFile), as: UTF8.self)
            } catch {
                throw BucketCredentials.Missing("the bucket's credentials: \(error)")
            }
        }
    }
}
