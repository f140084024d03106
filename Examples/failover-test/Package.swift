// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "failover-test",
    dependencies: [
        // Elsewhere: .package(url: "https://example.org/labctl.git", branch: "main")
        .package(name: "labctl", path: "../..")
    ],
    targets: [
        .testTarget(
            name: "FailoverTests", dependencies: [.product(name: "LabKit", package: "labctl")])
    ]
)
