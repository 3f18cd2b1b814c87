import Core
import Glibc

/// What the system says of this process.
package enum ProcessUsage {
    /// Has the process metrics read from the system; `startedAt` in milliseconds since 1970.
    package static func register(in registry: MetricsRegistry, startedAt: Int64) {
        registry.read(.processStartTime) { Double(startedAt) / 1_000 }
        registry.read(.processResidentMemory) { Double(residentBytes()) }
        let limit = Double(memoryLimit())
        registry.read(.memoryLimit) { limit }
        registry.read(.processCPU) { cpuSeconds() }
    }

    /// Cores this process may run on, which may be fewer than the machine has.
    package static var availableCores: Int {
        var set = cpu_set_t()
        guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        return max(1, withUnsafeBytes(of: &set) { $0.reduce(0) { $0 + $1.nonzeroBitCount } })
    }

    /// Bytes that the process may use, 0 where the system does not say: the limit of its control group, as containers have
    /// one, or all of the machine's memory.
    package static func memoryLimit() -> Int {
        let pages = sysconf(CInt(_SC_PHYS_PAGES))
        let machine = max(0, pages) * sysconf(CInt(_SC_PAGESIZE))
        guard let file = fopen("/sys/fs/cgroup/memory.max", "re") else { return machine }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = fread(&buffer, 1, buffer.count, file)
        // "max" where there is no limit.
        let digits = buffer[..<count].prefix { (48...57).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self)).map { min($0, machine) } ?? machine
    }

    /// Resident memory in bytes, 0 where the system does not say.
    package static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = fread(&buffer, 1, buffer.count, file)
        let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }

    /// Processor time in seconds, user and system together. POSIX fixes the unit of `clock` to microseconds.
    package static func cpuSeconds() -> Double { Double(clock()) / 1e6 }
}
