// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// A package of its own, so that whoever builds shadow-alter does not fetch and build what measures it.
let package = Package(
    name: "shadow-alter-benchmarks",
    dependencies: [
        .package(name: "shadow-alter", path: ".."),
        // Without its traits, which replace malloc and the runtime's reference counting: we count allocations ourselves.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "AllocationCounter"),
        .executableTarget(
            name: "Decoder",
            dependencies: [
                "AllocationCounter",
                .product(name: "PgOutput", package: "shadow-alter"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Decoder",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ]
)
