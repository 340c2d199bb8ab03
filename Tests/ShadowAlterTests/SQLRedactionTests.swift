import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct SQLRedactionTests {
    @Test(arguments: [
        ("ALTER a TYPE text USING pgp_sym_decrypt(a, 'secret')", "ALTER a TYPE text USING pgp_sym_decrypt(a, '…')"),
        ("ADD c text DEFAULT E'sec\\'ret'", "ADD c text DEFAULT '…'"),
        ("ADD c text DEFAULT $a$ se'cret $a$, ADD \"d'e\" int", "ADD c text DEFAULT '…', ADD \"d'e\" int"),
        ("ADD c text DEFAULT 'it''s secret'", "ADD c text DEFAULT '…'"),
        ("x U&'secret' y", "x '…' y"),
        ("ADD c int -- the secret\n, ADD d int /* secret */", "ADD c int , ADD d int "),
        ("ADD c text DEFAULT 'secret", "ADD c text DEFAULT '…'"),
        ("x /* secret", "x '…'"),
        // Where backslashes escape, the string goes on.
        ("x 'a\\' || secret || ' y", "x '…'"),
        ("ALTER id TYPE numeric(10, 2)", "ALTER id TYPE numeric(10, 2)"),
        ("", ""),
    ])
    func stringConstantsAreLeftOut(_ sql: String, _ shown: String) {
        #expect(SQLRedaction.text(sql) == shown)
    }

    @Test func positionsStayWhatTheyAre() {
        let sql = "SELECT 'sécret', /* x\ny */ wrong FROM t"
        let masked = SQLRedaction.masked(sql)
        #expect(masked.unicodeScalars.count == sql.unicodeScalars.count)
        #expect(masked.hasSuffix(" wrong FROM t") && !masked.contains("cret") && masked.contains("\n"))
    }

    @Test func valuesAreReadAsPostgreSQLReadsThem() {
        #expect(
            SQLRedaction.literals("'it''s' E'a\\'b' $$c'd$$ $t$e$t$ N'f'").map(\.value) == [
                "it's", "a'b", "c'd", "e", "f",
            ])
    }

    @Test func anErrorsContextNamesFunctionsAndNoStatements() {
        let context = """
            PL/pgSQL function f(integer) line 3 at SQL statement
            SQL statement "SELECT decrypt(x,
             'secret')
            FROM t"
            SQL function "g" statement 1
            COPY t, line 1, column x: "secret"
            """
        #expect(
            SQLRedaction.context(context) == """
                PL/pgSQL function f(integer) line 3 at SQL statement
                SQL statement "…"
                SQL function "g" statement 1
                COPY t, line 1, column x: "…"
                """)
    }
}

@Suite struct SecretsTests {
    private let secrets = Secrets(
        MigrationRequest(
            change: .alter(
                table: "public.customers",
                clauses:
                    "ALTER a TYPE text USING decrypt(a, 'correct horse'), ADD kind text DEFAULT 'customers', ADD b text DEFAULT 'x'"
            ),
            name: nil))

    @Test(arguments: [
        ("bad key: correct horse!", "bad key: …!"),
        ("syntax error at or near \"'correct horse'\"", "syntax error at or near \"'…'\""),
        ("invalid input syntax for type integer: \"x\"", "invalid input syntax for type integer: \"…\""),
        ("copying public.customers, next", "copying public.customers, next"),
        ("the default is 'customers'", "the default is '…'"),
    ])
    func areNotRepeated(_ text: String, _ shown: String) {
        #expect(secrets.hidden(in: text) == shown)
    }

    @Test func errorsAreWithoutThem() throws {
        var error = PgError(
            code: .unexpectedResult, message: "correct horse", statement: "SELECT f('correct horse'), y")
        error.detail = "correct horse"
        error.hint = "correct horse"
        error.context = "SQL statement \"correct horse\""
        error.position = 27
        let hidden = try #require(secrets.hidden(in: error) as? PgError)
        #expect(!"\(hidden)".contains("horse"))
        #expect(hidden.pointer?.hasSuffix("\n" + String(repeating: " ", count: 34) + "^") == true, "\(hidden)")
        let own = MigrationError(.badData, "correct horse", state: "correct horse", advice: "correct horse")
        #expect(!"\(secrets.hidden(in: own))".contains("horse"))
        let refused = Refused([
            Refusal(
                code: "c", object: "correct horse", what: "correct horse", why: "correct horse", fix: "correct horse")
        ])
        #expect(!"\(secrets.hidden(in: refused))".contains("horse"))
    }

    @Test func aChangeIsShownWithoutThem() {
        let change = MigrationRequest.Change.alter(table: "t", clauses: "ADD c text DEFAULT 'secret'")
        #expect("\(change)" == "--table t --alter 'ADD c text DEFAULT '…''")
        #expect(!"\(MigrationRequest.Change.script("SELECT 'secret'"))".contains("secret"))
    }
}
