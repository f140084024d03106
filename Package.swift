// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target: Swift 6 mode (from the tools version), warnings are errors, and
/// imports say what they make public, so that the arrows of ARCHITECTURE.md can be read off the
/// import lines.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "labctl",
    products: [
        .executable(name: "labctl", targets: ["labctl"]),
        .executable(name: "vrrp-agent", targets: ["VRRPAgentProgram"]),
        .executable(name: "http-backend", targets: ["HTTPBackend"]),
        .executable(name: "smtp-backend", targets: ["SMTPBackend"]),
        .executable(name: "node-init", targets: ["NodeInitProgram"]),
        .executable(name: "vrrp-simulator", targets: ["VRRPSimulator"]),
        .executable(name: "wire-relay", targets: ["WireRelay"]),
        .executable(name: "imposter", targets: ["Imposter"]),
        .executable(name: "port-proxy", targets: ["PortProxy"]),
        .library(name: "LabKit", targets: ["LabKit", "LabModel", "NetworkTypes"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C modules: headers only.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(
            name: "CLibNL", pkgConfig: "libnl-route-3.0",
            providers: [.apt(["libnl-route-3-dev", "libnl-genl-3-dev"])]),
        .systemLibrary(name: "CLibMNL", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),

        // Pure: values in, values out; no clock, no system call, no file.
        .target(name: "NetworkTypes", swiftSettings: common),
        .target(name: "VRRP", dependencies: ["NetworkTypes"], swiftSettings: common),
        .target(
            name: "VRRPSimulation", dependencies: ["VRRP", "NetworkTypes"], swiftSettings: common),
        .target(name: "KeepalivedConf", dependencies: ["NetworkTypes"], swiftSettings: common),
        .target(
            name: "LVS", dependencies: ["KeepalivedConf", "NetworkTypes"], swiftSettings: common),
        .target(name: "NodeProtocol", swiftSettings: common),
        .target(name: "Wire", dependencies: ["NetworkTypes"], swiftSettings: common),
        .target(name: "Spoofing", dependencies: ["VRRP", "NetworkTypes"], swiftSettings: common),
        .target(name: "Mail", swiftSettings: common),
        .target(
            name: "LabModel",
            dependencies: [
                "NetworkTypes", "Wire", "Spoofing", .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: common),
        .target(name: "Chaos", dependencies: ["LabModel", "NetworkTypes"], swiftSettings: common),
        .target(
            name: "LabReport", dependencies: ["LabModel", "NetworkTypes"],
            resources: [
                .embedInCode("Resources/report.css"), .embedInCode("Resources/report.js"),
            ],
            swiftSettings: common),

        // The machine.
        .target(
            name: "LinuxSystem", dependencies: ["CLinux", "NetworkTypes", system],
            swiftSettings: common),
        .target(
            name: "Netlink",
            dependencies: ["LinuxSystem", "NetworkTypes", "CLinux", "CLibNL", "CLibMNL", system],
            swiftSettings: common),
        .target(
            name: "LabKit",
            dependencies: [
                "LabModel", "Wire", "Spoofing", "KeepalivedConf", "VRRP", "NodeProtocol", "Netlink",
                "LinuxSystem", "NetworkTypes", "CLinux", system,
            ], swiftSettings: common),

        // Programs.
        .executableTarget(
            name: "labctl",
            dependencies: [
                "LabKit", "LabModel", "LabReport", "Chaos", "Mail", "LinuxSystem", "NetworkTypes",
                system, argumentParser,
            ],
            swiftSettings: common,
            // At a fixed place in memory it starts in three quarters of the time: there are a
            // hundred thousand addresses in it to be put right otherwise, twice for every lab.
            linkerSettings: [
                .unsafeFlags(["-Xclang-linker", "-no-pie"], .when(configuration: .release))
            ]),
        // The VRRP daemon is a library, so that tests can start one that has a defect.
        .executableTarget(
            name: "VRRPAgentProgram", dependencies: ["VRRPAgent"], swiftSettings: common),
        .target(
            name: "VRRPAgent",
            dependencies: [
                "VRRP", "LVS", "KeepalivedConf", "Netlink", "LinuxSystem", "NetworkTypes", "CLinux",
                system,
            ],
            swiftSettings: common),
        .executableTarget(
            name: "VRRPSimulator", dependencies: ["VRRPSimulation", argumentParser],
            swiftSettings: common),
        .executableTarget(
            name: "WireRelay",
            dependencies: ["Wire", "LinuxSystem", "NetworkTypes", "CLinux", system],
            swiftSettings: common),
        .executableTarget(
            name: "Imposter",
            dependencies: ["Spoofing", "Wire", "LinuxSystem", "NetworkTypes", "CLinux", system],
            swiftSettings: common),
        .executableTarget(
            name: "PortProxy",
            dependencies: ["LinuxSystem", "NetworkTypes", "CLinux", system],
            swiftSettings: common),
        .executableTarget(
            name: "HTTPBackend",
            dependencies: [
                "LinuxSystem", system, argumentParser,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: common),
        .executableTarget(
            name: "SMTPBackend", dependencies: ["Mail", "LinuxSystem", "CLinux", system],
            swiftSettings: common),
        // A library, so that what it reads can be fuzzed.
        .target(
            name: "NodeInit",
            dependencies: [
                "NodeProtocol", "Mail", "LinuxSystem", "NetworkTypes", "CLinux", system,
            ],
            swiftSettings: common),
        .executableTarget(
            name: "NodeInitProgram", dependencies: ["NodeInit"], swiftSettings: common,
            // It needs no shared library, and without a dynamic linker it starts 2 ms sooner.
            linkerSettings: [
                .unsafeFlags(["-static-executable"], .when(configuration: .release))
            ]),

        // Tests, one target per module; PrivilegedTests need root.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: common),
        .testTarget(
            name: "NetworkTypesTests", dependencies: ["NetworkTypes"], swiftSettings: common),
        .testTarget(
            name: "VRRPTests",
            dependencies: ["VRRP", "VRRPSimulation", "NetworkTypes", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: common),
        .testTarget(
            name: "KeepalivedConfTests",
            dependencies: ["KeepalivedConf", "NetworkTypes", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: common),
        .testTarget(
            name: "LVSTests", dependencies: ["LVS", "KeepalivedConf", "NetworkTypes"],
            swiftSettings: common),
        .testTarget(
            name: "NodeProtocolTests", dependencies: ["NodeProtocol"], swiftSettings: common),
        .testTarget(
            name: "WireTests", dependencies: ["Wire", "NetworkTypes"], swiftSettings: common),
        .testTarget(
            name: "SpoofingTests", dependencies: ["Spoofing", "VRRP", "NetworkTypes"],
            swiftSettings: common),
        .testTarget(name: "MailTests", dependencies: ["Mail"], swiftSettings: common),
        .testTarget(
            name: "NodeInitTests",
            dependencies: ["NodeInit", "NodeProtocol", "Mail", "LinuxSystem", "NetworkTypes"],
            swiftSettings: common),
        .testTarget(
            name: "LabModelTests",
            dependencies: ["LabModel", "Spoofing", "NetworkTypes", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: common
        ),
        .testTarget(
            name: "ChaosTests", dependencies: ["Chaos", "LabModel", "NetworkTypes"],
            swiftSettings: common),
        .testTarget(
            name: "LabReportTests", dependencies: ["LabReport", "LabModel", "NetworkTypes"],
            exclude: ["Recorded"], swiftSettings: common),
        .testTarget(
            name: "LinuxSystemTests",
            dependencies: ["LinuxSystem", "NetworkTypes", "CLinux", system],
            swiftSettings: common),
        .testTarget(
            name: "NetlinkTests", dependencies: ["Netlink", "NetworkTypes", "CLinux", system],
            swiftSettings: common),
        .testTarget(
            name: "VRRPAgentTests",
            dependencies: [
                "VRRPAgent", "VRRP", "LVS", "KeepalivedConf", "Netlink", "LinuxSystem",
                "NetworkTypes", "CLinux", system,
            ],
            exclude: ["Fixtures"], swiftSettings: common),
        .testTarget(
            name: "HTTPBackendTests",
            dependencies: [
                "HTTPBackend", "LinuxSystem", system,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: common),
        .testTarget(
            name: "LabKitTests",
            dependencies: [
                "LabKit", "LabModel", "Netlink", "NodeProtocol", "LinuxSystem", "NetworkTypes",
                system,
            ],
            swiftSettings: common),
        // What scripts/fuzz runs under libFuzzer, and the unit tests over the corpus.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "KeepalivedConf", "LVS", "LabKit", "LabModel", "LabReport", "LinuxSystem", "Mail",
                "Netlink", "NetworkTypes", "NodeInit", "NodeProtocol", "Spoofing", "VRRP",
                "VRRPAgent", "Wire",
            ], path: "Tests/Fuzzing/Targets", swiftSettings: common),
        .testTarget(
            name: "FuzzingTests", dependencies: ["FuzzTargets", "TestSupport"],
            swiftSettings: common),
        .executableTarget(
            name: "PlantedAgent", dependencies: ["VRRPAgent", "VRRP", "NetworkTypes"],
            path: "Tests/PlantedAgent", swiftSettings: common),
        .testTarget(
            name: "PrivilegedTests",
            dependencies: [
                "LabKit", "LabModel", "VRRPAgent", "KeepalivedConf", "Netlink", "VRRP", "Wire",
                "WireRelay", "NodeProtocol", "LinuxSystem", "NetworkTypes", "TestSupport", "CLinux",
                system,
            ],
            swiftSettings: common),
    ]
)

// Only libFuzzer has a main for it.
if Context.environment["LABCTL_FUZZING"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Driver",
            swiftSettings: common + [.unsafeFlags(["-parse-as-library"])]))
}

// What scripts/bench micro runs.
if Context.environment["LABCTL_BENCHMARKS"] != nil {
    package.targets += [
        .target(name: "CAllocations", path: "Tests/MicroBenchmarks/CAllocations"),
        .executableTarget(
            name: "MicroBenchmarks",
            dependencies: [
                "CAllocations", "KeepalivedConf", "LabModel", "NetworkTypes", "VRRP",
                "VRRPSimulation", "Wire",
            ], path: "Tests/MicroBenchmarks", exclude: ["CAllocations"], swiftSettings: common),
    ]
}
