// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "shadow-alter",
    products: [
        .executable(name: "shadow-alter", targets: ["shadow-alter"]),
        .library(name: "PgOutput", targets: ["PgOutput"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev", "libssl-dev"])]
        ),

        // The decoder: pure, no I/O, no libpq, no Foundation.
        .target(name: "PgOutput", swiftSettings: strict),

        .target(name: "PgConnection", dependencies: ["CLibPQ"], swiftSettings: strict),
        .target(name: "PgReplication", dependencies: ["PgConnection", "PgOutput", "CLibPQ"], swiftSettings: strict),
        .target(
            name: "ShadowAlter",
            dependencies: [
                "PgConnection", "PgReplication", "PgOutput",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),

        // What operators see and touch of a run: the control socket. Drives the engine through `MigrationControl`.
        .target(
            name: "ControlPlane",
            dependencies: [
                "ShadowAlter",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),

        // What the demonstration and the tests share: a private server, and a write load with a ledger.
        .target(
            name: "ThrowawayServer",
            dependencies: [.product(name: "Subprocess", package: "swift-subprocess")],
            swiftSettings: strict
        ),
        .target(
            name: "LedgerWorkload",
            dependencies: [
                "PgConnection",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "shadow-alter",
            dependencies: [
                "ControlPlane", "ShadowAlter", "PgConnection", "ThrowawayServer", "LedgerWorkload",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        .testTarget(name: "PgOutputTests", dependencies: ["PgOutput"], swiftSettings: strict),
        .testTarget(
            name: "ThrowawayServerTests", dependencies: ["ThrowawayServer"], swiftSettings: strict),
        .target(
            name: "TestSupport",
            dependencies: [
                "PgConnection", "ThrowawayServer",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "PgConnectionTests", dependencies: ["PgConnection", "ThrowawayServer", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "LedgerWorkloadTests", dependencies: ["LedgerWorkload", "PgConnection", "ThrowawayServer"],
            swiftSettings: strict),
        .testTarget(
            name: "PgReplicationTests",
            dependencies: ["PgReplication", "PgConnection", "PgOutput", "ThrowawayServer", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ShadowAlterTests", dependencies: ["ShadowAlter", "PgConnection"], swiftSettings: strict),
        .testTarget(
            name: "ControlPlaneTests", dependencies: ["ControlPlane", "ShadowAlter", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "shadow-alter", "ControlPlane", "ShadowAlter", "LedgerWorkload", "PgConnection", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "ControlPlane", "ShadowAlter", "PgConnection", "PgReplication", "ThrowawayServer", "LedgerWorkload",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["cases", "Oracle/KitchenSink"],
            swiftSettings: strict),
    ]
)
