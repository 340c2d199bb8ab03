import Testing
import ThrowawayServer

@Suite("Starting, restarting and stopping")
struct LifecycleTests {
    @Test("a new server is what the documentation says", arguments: try await Servers.all())
    func fresh(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries, settings: ["work_mem": "5MB"]) { server in
            let version = try await server.psql("SELECT current_setting('server_version_num')::int / 10000")
            #expect(version == String(binaries.majorVersion))
            #expect(server.version == binaries.majorVersion)
            let facts = try await server.psql(
                """
                SHOW wal_level; SHOW max_replication_slots; SHOW max_wal_senders; SHOW max_connections;
                SHOW listen_addresses; SHOW server_encoding; SHOW work_mem; SHOW fsync;
                SELECT rolsuper FROM pg_roles WHERE rolname = current_user;
                SELECT reset_val FROM pg_settings WHERE name = 'port';
                """)
            #expect(facts == "logical\n20\n20\n200\n\nUTF8\n5MB\noff\nt\n\(server.port)")
            #expect(try await server.psql("SHOW config_file").hasPrefix(server.dataDirectory + "/"))
            let pid = try #require(server.pid)
            #expect(Servers.isAlive(pid))
            #expect(try server.log.contains("database system is ready to accept connections"))
            #expect("\(server.socketDirectory)/.s.PGSQL.\(server.port)".utf8.count <= 107)
            #expect(Servers.exists("\(server.socketDirectory)/.s.PGSQL.\(server.port)"))
        }
    }

    @Test("a setting with quotes and backslashes arrives as it is", arguments: try await Servers.all())
    func quotedSetting(_ binaries: ServerBinaries) async throws {
        let value = #"it's a \n "test" # 100%%"#
        try await Servers.with(binaries, settings: ["my.setting": value]) { server in
            let shown = try await server.psql("SHOW my.setting")
            #expect(shown == value)
        }
    }

    @Test("a restart keeps data and port, and adds settings", arguments: try await Servers.all(), StopMode.allCases)
    func restart(_ binaries: ServerBinaries, mode: StopMode) async throws {
        try await Servers.with(binaries, settings: ["work_mem": "5MB"]) { server in
            try await server.psql("CREATE TABLE kept AS SELECT 42 AS answer")
            let before = try #require(server.pid)
            try await server.restart(mode: mode, settings: ["maintenance_work_mem": "7MB"])
            let after = try #require(server.pid)
            #expect(before != after)
            #expect(!Servers.isAlive(before))
            let facts = try await server.psql(
                "SELECT answer FROM kept; SHOW work_mem; SHOW maintenance_work_mem; SHOW port")
            #expect(facts == "42\n5MB\n7MB\n\(server.port)")
            #expect(try server.log.contains("automatic recovery in progress") == (mode == .immediate))
        }
    }

    @Test("ALTER SYSTEM wins over the settings of the start", arguments: try await Servers.all())
    func alterSystem(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries, settings: ["work_mem": "5MB"]) { server in
            try await server.psql("ALTER SYSTEM SET work_mem = '6MB'")
            try await server.restart()
            #expect(try await server.psql("SHOW work_mem") == "6MB")
        }
    }

    @Test("stop removes everything, and ends the object's life", arguments: try await Servers.all())
    func stop(_ binaries: ServerBinaries) async throws {
        let server = try await ThrowawayServer.start(binaries)
        let pid = try #require(server.pid)
        try await server.stop(.fast, keepData: true)
        #expect(server.pid == nil)
        #expect(!Servers.isAlive(pid))
        #expect(Servers.exists(server.dataDirectory))
        try await server.restart()
        #expect(server.pid != nil)
        try await server.stop()
        #expect(!Servers.exists(server.directory))
        await #expect(throws: ThrowawayServerError.self) { try await server.restart() }
        await #expect(throws: ThrowawayServerError.self) { try await server.stop() }
        #expect(throws: ThrowawayServerError.self) { try server.log }
    }

    @Test("servers are independent of each other, also the older of the younger", arguments: try await Servers.all())
    func independence(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries) { older in
            try await Servers.with(binaries) { younger in
                #expect(older.directory != younger.directory)
                try await older.psql("CREATE TABLE mine (id int)")
                #expect(try await younger.psql("SELECT to_regclass('mine') IS NULL") == "t")
                try await older.stop(.fast, keepData: true)
                #expect(try await younger.psql("SELECT 1") == "1")
            }
        }
    }

    @Test("a smart stop that a client holds up is reported, and the server goes on", arguments: try await Servers.all())
    func heldUp(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries) { server in
            let sleeper = Task { try await server.psql("SELECT pg_sleep(600)") }
            #expect(
                try await Servers.eventually {
                    try await server.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)%'")
                        == "2"
                })
            let error = try await #require(throws: ThrowawayServerError.self) {
                try await server.stop(.smart, timeout: .milliseconds(50))
            }
            #expect(error.description.contains("still runs"))
            #expect(server.pid != nil)
            try await server.stop(.fast, keepData: true)
            await #expect(throws: ThrowawayServerError.self) { try await sleeper.value }
        }
    }
}
