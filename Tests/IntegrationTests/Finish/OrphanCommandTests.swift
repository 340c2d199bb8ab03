import Foundation
import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// `list` and `abort`, as a person types them, when something is left behind.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct OrphanCommandTests {
        private func tool(_ items: Items, _ arguments: [String]) async throws -> (status: Int32, text: String) {
            let ended = try await ToolProcess.run(arguments, on: items.database)
            return (try #require(ended.exit), ended.output + ended.error)
        }

        @Test(arguments: try await Servers.outermost())
        func theyShowAndRemoveIt(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_commands", on: binaries)
            let nothing = try await tool(items, ["abort", "--orphans"])
            #expect(nothing.status == 0 && nothing.text.contains("Nothing is left behind"), "\(nothing)")
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            running.cancel()
            _ = await running.failure()
            try await items.session.execute("DROP SCHEMA shadow_alter CASCADE; CREATE TABLE item_blue.old (id int)")

            let list = try await tool(items, ["list"])
            #expect(list.status == 0 && list.text.contains("abort --orphans"), "\(list)")
            #expect(list.text.contains("of the migration item, which holds back"), "\(list)")
            let json = try await tool(items, ["list", "--json"])
            let listing = try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any]
            #expect((listing?["migrations"] as? [Any])?.isEmpty == true, "\(json)")
            let orphans = try #require(listing?["orphans"] as? [[String: Any]])
            #expect(orphans.count == 4 && orphans.first?["retained_wal_bytes"] as? Int != nil, "\(json)")
            #expect(orphans.filter { $0["obstacle"] != nil }.map { $0["name"] as? String } == ["item_blue"], "\(json)")

            let byName = try await tool(items, ["abort", "item"])
            #expect(byName.status == 1 && byName.text.contains("1 old table"), "\(byName)")
            #expect(byName.text.contains("everything else is removed"), "\(byName)")
            try await items.session.execute("DROP TABLE item_blue.old")
            let rest = try await tool(items, ["abort", "--orphans"])
            #expect(rest.status == 0 && rest.text.contains("Removed the schema item_blue."), "\(rest)")
            let both = try await tool(items, ["abort", "--orphans", "item"])
            #expect(both.status == 2, "\(both)")
            let unknown = try await tool(items, ["abort", "item"])
            #expect(unknown.status == 1 && unknown.text.contains("there is no migration named item"), "\(unknown)")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
