import Glibc
import Testing
import ThrowawayServer

@Suite("psql, createdb and pg_dump on a throwaway server")
struct ProgramTests {
    @Test("any name works as a database's, in the connection string too", arguments: try await Servers.all())
    func strangeName(_ binaries: ServerBinaries) async throws {
        let name = #"--it's a \ "name" = ü"#
        try await Servers.with(binaries) { server in
            try await server.createDatabase(name)
            #expect(try await server.psql("SELECT current_database()", database: name) == name)
            #expect(try await server.dump(database: name).contains("PostgreSQL database dump complete"))
            await #expect(throws: ThrowawayServerError.self) { try await server.createDatabase(name) }
        }
    }

    @Test("the connection string quotes every value")
    func conninfo() async throws {
        let binaries = try #require(try await Servers.all().first)
        try await Servers.with(binaries) { server in
            let expected = "host='\(server.socketDirectory)' port='\(server.port)' dbname='a\\'b' user='c\\\\d'"
            #expect(server.conninfo(database: "a'b", user: #"c\d"#) == expected)
        }
    }

    @Test("psql runs as the given user, and stops at the first error", arguments: try await Servers.all())
    func psql(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries) { server in
            try await server.psql("CREATE ROLE app LOGIN; CREATE TABLE done (id int)")
            #expect(try await server.psql("SELECT current_user, NULL, 1", user: "app") == "app||1")
            let error = try await #require(throws: ThrowawayServerError.self) {
                try await server.psql("INSERT INTO done VALUES (1);\nSELECT 1/0;\nINSERT INTO done VALUES (2);")
            }
            #expect(error.description.contains(":2: ERROR:  division by zero"))
            #expect(try await server.psql("SELECT id FROM done") == "1")
            // Far more than one argument of a program may hold (128 KiB on Linux).
            let long = String(repeating: "x", count: 1_000_000)
            #expect(try await server.psql("SELECT length('\(long)')") == "1000000")
        }
    }

    @Test("two dumps of the same thing are the same text", arguments: try await Servers.all())
    func dump(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries) { server in
            try await server.psql(
                "CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY); INSERT INTO s.t VALUES (4711)")
            let first = try await server.dump()
            #expect(first.contains("CREATE TABLE s.t"))
            #expect(!first.contains("4711"))
            #expect(!first.contains("restrict "))
            #expect(try await server.dump() == first)
            #expect(try await server.dump(schemaOnly: false).contains("4711"))
            #expect(!(try await server.dump(arguments: ["--schema=public"]).contains("CREATE TABLE s.t")))
        }
    }

    @Test("it listens on TCP when it is told to", arguments: try await Servers.all())
    func tcp(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries, settings: ["listen_addresses": "127.0.0.1"]) { server in
            let address = try await server.psql(
                """
                \\connect "host=127.0.0.1 port=\(server.port) user=postgres dbname=postgres"
                SELECT host(inet_server_addr()), inet_server_port();
                """)
            #expect(address == "127.0.0.1|\(server.port)")
        }
    }

    @Test("libpq's environment variables do not lead elsewhere", arguments: try await Servers.all())
    func environment(_ binaries: ServerBinaries) async throws {
        // In a process of its own, because the environment belongs to the whole process.
        await #expect(processExitsWith: .success) {
            [binaries] in
            for (name, value) in [("PGHOST", "/nonexistent"), ("PGOPTIONS", "-c work_mem=9MB"), ("PGUSER", "nobody")] {
                try #require(setenv(name, value, 1) == 0)
            }
            try await Servers.with(binaries) { server in
                try #require(try await server.psql("SHOW work_mem") == "4MB")
                try await server.createDatabase("reached")
            }
        }
    }
}
