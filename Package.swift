// swift-tools-version: 6.2
import PackageDescription

/// Every target is built the same way: warnings are errors, async functions stay on their caller's
/// executor unless they say otherwise, and every C header sees the same feature macros.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
]

/// What ships is linked by the toolchain's lld, with relocations that take a hundredth of the room: two megabytes less are
/// resident. The loader knows them from glibc 2.36 (Debian 12) on.
let lean: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"], .when(configuration: .release))
]

func library(_ name: String, _ dependencies: [String], resources: [Resource] = []) -> Target {
    .target(
        name: name, dependencies: dependencies.map { .byName(name: $0) }, resources: resources, swiftSettings: common)
}

/// `pkgConfig` is nil for a library that ships no such file.
func shelf(_ name: String, pkgConfig: String?, apt: String) -> Target {
    .systemLibrary(name: "C" + name, path: "Sources/C/" + name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// A program that measures; its folder is under Benchmarks.
func bench(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(
        name: name + "Bench", dependencies: dependencies.map { .byName(name: $0) }, path: "Benchmarks/" + name,
        swiftSettings: common)
}

func tests(_ name: String, _ dependencies: [String]) -> Target {
    .testTarget(name: name, dependencies: dependencies.map { .byName(name: $0) }, swiftSettings: common)
}

let package = Package(
    name: "refrain",
    products: [
        .executable(name: "refrain", targets: ["refrain"]),
        .executable(name: "refrain-sim", targets: ["Simulator"]),
    ],
    targets: [
        shelf("Event", pkgConfig: "libevent", apt: "libevent-dev"),
        shelf("Microhttpd", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        shelf("Curl", pkgConfig: "libcurl", apt: "libcurl4-gnutls-dev"),
        shelf("Crypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        shelf("Yaml", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        shelf("LZ4", pkgConfig: "liblz4", apt: "liblz4-dev"),
        // Its pkg-config file holds a flag that SwiftPM warns of; the header and the library are found without.
        shelf("Hiredis", pkgConfig: nil, apt: "libhiredis-dev"),
        shelf("XXHash", pkgConfig: "libxxhash", apt: "libxxhash-dev"),
        shelf("S3", pkgConfig: nil, apt: "libs3-dev"),
        shelf("Xml", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
        shelf("Zlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        // Not linked: loaded when something is computed. Only the header is needed here (libdnnl-dev).
        .target(name: "CDNNL", path: "Sources/C/DNNL", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        // Headers of C++ alone (libhnswlib-dev): the part that Swift calls is compiled here.
        .target(name: "CHnsw", path: "Sources/C/Hnsw", cxxSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        // Our own, for several processors of a family.
        .target(name: "CLanes", path: "Sources/C/Lanes", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .systemLibrary(name: "CMalloc", path: "Sources/C/Malloc"),

        library("Core", []),
        library("Dialects", ["Core"]),
        library("Warmup", ["Core", "Dialects"]),
        library("Tiers", ["Core"]),
        library(
            "Semantic", ["Core", "Dialects"],
            resources: ["encoder.json", "lexical.json"].map { .embedInCode("Verifier/" + $0) }),
        library("Engine", ["Core", "Dialects", "Tiers"]),
        .target(
            name: "Foreign",
            dependencies: [
                "Core", "CEvent", "CMicrohttpd", "CCurl", "CCrypto", "CYaml", "CLZ4", "CXXHash", "CHiredis", "CS3",
                "CXml", "CZlib", "CMalloc",
            ],
            exclude: ["Matrix", "Neighbours"], swiftSettings: common),
        // A part of Foreign that is linked only by what computes.
        .target(
            name: "Matrix", dependencies: ["Core", "Foreign", "CDNNL", "CLanes"], path: "Sources/Foreign/Matrix",
            swiftSettings: common),
        .target(
            name: "Neighbours", dependencies: ["Core", "CHnsw"], path: "Sources/Foreign/Neighbours",
            swiftSettings: common),
        library(
            "Server", ["Core", "Dialects", "Engine", "Foreign"],
            resources: ["index.html", "style.css", "charts.js", "semantic.js", "dashboard.js"].map {
                .embedInCode("Dashboard/" + $0)
            }),
        library("TestKit", ["Core", "Dialects", "Tiers", "Engine"]),
        .executableTarget(
            name: "refrain",
            dependencies: [
                "Core", "Dialects", "Tiers", "Semantic", "Engine", "Foreign", "Matrix", "Neighbours", "Server",
                "Warmup",
            ], swiftSettings: common, linkerSettings: lean),
        .executableTarget(name: "Simulator", dependencies: ["Core", "Dialects", "Foreign"], swiftSettings: common),
        bench("Micro", ["Core", "Dialects"]),
        bench("Responder", ["Core", "Foreign"]),
        bench("Warm", ["Core", "Foreign", "Warmup", "TestKit"]),

        bench("Traces", ["Core", "Tiers", "TestKit"]),
        bench("Shield", ["Core", "Engine", "TestKit"]),
        bench("Memory", ["Core", "Tiers", "TestKit"]),
        bench("Storage", ["Core", "Tiers", "Foreign", "TestKit"]),
        bench("Redis", ["Core", "Tiers", "Foreign", "TestKit"]),
        .executableTarget(
            name: "EncoderBench", dependencies: ["Core", "Dialects", "Semantic", "Foreign", "Matrix"],
            path: "Benchmarks/Semantic/Encoder", swiftSettings: common),
        .executableTarget(
            name: "GuardsBench", dependencies: ["Semantic"], path: "Benchmarks/Semantic/Guards", swiftSettings: common),
        .executableTarget(
            name: "TrustBench", dependencies: ["Core", "Dialects", "Semantic", "Foreign", "Matrix"],
            path: "Benchmarks/Semantic/Trust", swiftSettings: common),

        bench("Index", ["Core", "Dialects", "Semantic", "Neighbours"]),

        // Killed by the tests while it writes.
        .executableTarget(
            name: "StoreWriter", dependencies: ["Core", "Tiers", "Foreign", "TestKit"], path: "Tests/StoreWriter",
            swiftSettings: common),

        tests("CoreTests", ["Core", "TestKit"]),
        tests("DialectsTests", ["Dialects", "TestKit"]),
        tests("WarmupTests", ["Core", "Dialects", "Warmup", "Foreign", "TestKit"]),
        tests("TiersTests", ["Core", "Tiers", "Foreign", "TestKit"]),
        .testTarget(
            name: "SemanticTests",
            dependencies: ["Core", "Dialects", "Semantic", "Foreign", "Matrix", "Neighbours", "TestKit"],
            resources: [.copy("Fixtures")], swiftSettings: common),
        tests("SemanticIndexTests", ["Core", "Semantic", "Neighbours", "TestKit"]),
        tests("SemanticTextTests", ["Core", "Semantic", "TestKit"]),
        tests("EngineTests", ["Engine", "TestKit"]),
        tests("ForeignTests", ["Core", "Tiers", "Foreign", "TestKit", "StoreWriter", "CZlib"]),
        tests("ServerTests", ["Server", "TestKit"]),
        tests("CommandTests", ["refrain", "Dialects", "Foreign", "Warmup", "TestKit"]),
        tests("SimulatorTests", ["Simulator", "Core", "Dialects", "Foreign"]),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
