import Testing

@testable import ControlPlane

@Suite struct SocketPathTests {
    @Test func standsInTheUsersOwnDirectoryIfThereIsOne() {
        #expect(
            SocketPath.standard(database: "shop", migration: "orders", environment: ["XDG_RUNTIME_DIR": "/run/user/7"])
                == "/run/user/7/shadow-alter.shop.orders.sock")
        #expect(
            SocketPath.standard(database: "shop", migration: "orders", environment: [:])
                == "/tmp/shadow-alter.shop.orders.sock")
        #expect(
            SocketPath.standard(database: "shop", migration: "orders", environment: ["XDG_RUNTIME_DIR": "here"])
                == "/tmp/shadow-alter.shop.orders.sock")
    }

    @Test func theServerTellsDatabasesOfOneNameApart() {
        let paths = [nil, "10.0.0.1:5432", "10.0.0.2:5432"].map {
            SocketPath.standard(database: "shop", migration: "orders", server: $0, environment: [:])
        }
        #expect(Set(paths).count == 3 && paths.allSatisfy { $0.hasPrefix("/tmp/shadow-alter.shop.orders.") })
    }

    @Test(arguments: [
        "../../etc/passwd", "a b", "a/b", "ü", "$(reboot)", "", ".", String(repeating: "ü", count: 31),
        String(repeating: "x", count: 63),
    ])
    func anyNameGivesAUsablePath(_ name: String) {
        let path = SocketPath.standard(
            database: name, migration: name, environment: ["XDG_RUNTIME_DIR": "/run/user/1000"])
        #expect(path.utf8.count <= SocketPath.maximumLength)
        #expect(
            path.split(separator: "/").dropLast() == ["run", "user", "1000"] || path.hasPrefix("/tmp/shadow-alter."))
        #expect(path.hasSuffix(".sock") && !path.contains(" ") && !path.contains("..") && !path.contains("$"))
        let other = SocketPath.standard(database: name, migration: name + "2", environment: [:])
        #expect(other != SocketPath.standard(database: name, migration: name, environment: [:]))
    }
}
