import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Who asks for a file's size waits for whoever locks the table, and he may drop it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct FileSizeTests {
        @Test(arguments: try await Servers.outermost())
        func aTableThatIsDroppedMeanwhileIsNamed(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("file_size", on: binaries)
            let table = QualifiedName(schema: "public", name: "other")
            let asking = try await TestSession(items.database)
            #expect(try await asking.connection.fileSize(of: table) == 8192)
            #expect(try await asking.connection.pages(of: table) == 1)
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; DROP TABLE other")
            let size = Task { try await asking.connection.fileSize(of: table) }
            try await eventually("it waits") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(asking.pid) AND wait_event_type = 'Lock')")
            }
            try await other.execute("COMMIT")
            let error = await #expect(throws: PgError.self) { try await size.value }
            #expect(error?.sqlState?.isAboutAMissingObject == true, "\(String(describing: error))")
            #expect(error?.message.contains("public.other") == true, "\(String(describing: error))")
            await asking.close()
            await other.close()
            await items.close()
        }
    }
}
