import PgConnection
import TestSupport
import Testing
import ThrowawayServer

@Suite struct CopyTests {
    /// One is a copy of the other's whole runs; neither may see an escape that the other does not.
    @Test func fieldsInSomebodyElsesMemoryAreEscapedAlike() {
        let fields: [[UInt8]] =
            [[], Array(0...255), Array("\\\n\r\t".utf8), Array("a\\".utf8), Array("\tb".utf8)]
            + (0...255).map { [UInt8(ascii: "a"), $0, UInt8(ascii: "b"), $0] }
        var sequences = CopyTextRows()
        var spans = CopyTextRows()
        for field in fields {
            sequences.append(field)
            spans.append(field.span.bytes)
        }
        #expect(spans.bytes == sequences.bytes)
        spans.removeAll()
        let field: [UInt8] = [7]
        spans.append(field.span.bytes)
        #expect(spans.bytes == [7])
    }

    @Test(arguments: try await TestServers.all())
    func everyByteArrivesAsItIs(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TEMP TABLE copied (n int, t text)")
        var texts = (1...127).map { "a" + String(Unicode.Scalar(UInt8($0))) + "b" }
        texts += ["", "\\N", "\\.", "\\", "\n\\.\n", "\u{1F600}", "'\u{301}"]
        var rows = CopyTextRows()
        for (index, text) in texts.enumerated() {
            rows.append(index)
            rows.append(text.utf8)
            rows.endRow()
        }
        rows.append(-1)
        rows.appendNull()
        rows.endRow()
        #expect(try await connection.copyIn("COPY copied FROM STDIN", rows.bytes) == texts.count + 1)
        let back: [String] = try await connection.execute(
            "SELECT array_agg(t ORDER BY n) FROM copied WHERE n >= 0"
        ).single().value()
        #expect(back.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
        #expect(
            try await connection.execute("SELECT count(*) FROM copied WHERE n = -1 AND t IS NULL").single().value() == 1
        )
    }

    @Test(arguments: try await TestServers.all())
    func aRowThatIsRefusedFailsTheWholeCopyAndLeavesTheConnectionInOrder(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TEMP TABLE numbers (n int)")
        // Several megabytes, so that the server refuses while we still send.
        var bytes = Array("1\nx\n".utf8)
        for number in 0..<600_000 { bytes += Array("\(number)\n".utf8) }
        let data = bytes
        let error = try #require(
            await pgError {
                try await connection.transaction { _ = try $0.copyIn("COPY numbers FROM STDIN", data) }
            })
        #expect(error.sqlState == SQLState(rawValue: "22P02"))
        #expect(error.context?.contains("line 2") == true)
        #expect(try await connection.execute("SELECT count(*) FROM numbers").single().value() == 0)
        #expect(try await connection.copyIn("COPY numbers FROM STDIN", Array("5\n".utf8)) == 1)
        #expect(try await connection.copyIn("COPY numbers FROM STDIN", []) == 0)
    }

    @Test(arguments: try await TestServers.all())
    func statementsThatAreNoCopyOrAnUnexpectedOne(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TEMP TABLE few AS SELECT generate_series(1, 10000) AS n")
        for sql in ["SELECT 1", "COPY few TO STDOUT"] {
            let error = await pgError { try await connection.copyIn(sql, []) }
            #expect(error?.code == .unexpectedResult)
        }
        for sql in ["COPY few FROM STDIN", "COPY few TO STDOUT"] {
            let error = await pgError { try await connection.execute(sql) }
            #expect(error?.code == .unexpectedResult)
            let parameters = await pgError { try await connection.query(sql) }
            #expect(parameters?.code == .unexpectedResult)
        }
        #expect(try await connection.execute("SELECT count(*) FROM few").single().value() == 10000)
    }
}
