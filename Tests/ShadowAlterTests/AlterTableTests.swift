import Testing

@testable import ShadowAlter

@Suite struct AlterTableTests {
    private func clauses(_ text: String) throws -> AlterTable {
        let statement = try #require(try SQLStatement.split(text).first)
        return AlterTable(clauses: statement)
    }

    @Test func findsUsingExpressions() throws {
        let alter = try clauses(
            #"ALTER COLUMN a TYPE int USING a::int + f(1, 2), alter "B b" set data type numeric(10, 2) using ("B b" * 2), drop column using_x"#
        )
        #expect(
            alter.usings == [
                .init(column: "a", expression: "a::int + f(1, 2)"),
                .init(column: "B b", expression: #"("B b" * 2)"#),
            ])
    }

    @Test(arguments: [
        "alter a type text", "add exclude using gist (a with &&)", "alter column a set default 'using'",
        "add constraint x unique using index y", "alter type type text",
    ])
    func nothingElseIsAUsing(_ text: String) throws {
        #expect(try clauses(text).usings.isEmpty)
    }

    @Test func aColumnMayBeNamedLikeAKeyword() throws {
        #expect(try clauses("alter type type int using 1").usings == [.init(column: "type", expression: "1")])
        #expect(try clauses("alter data set data type int using 2").usings == [.init(column: "data", expression: "2")])
    }

    @Test func aUsingInsideBracketsIsPartOfTheExpression() throws {
        let alter = try clauses("alter a type int using (select x from y join z using (k))")
        #expect(alter.usings.map(\.expression) == ["(select x from y join z using (k))"])
    }

    @Test func readsTheTableOfAStatement() throws {
        let statements = try SQLStatement.split(
            #"alter table if exists only "Or.ders" alter a type int using 1; ALTER TABLE s.t * drop b; create index on t (a);"#
        )
        #expect(statements.map { AlterTable(statement: $0)?.name } == [["Or.ders"], ["s", "t"], nil])
        #expect(AlterTable(statement: statements[0])?.usings == [.init(column: "a", expression: "1")])
        #expect(AlterTable(statement: statements[1])?.heads == [["drop", "b"]])
    }

    @Test func referencesIsSeenOnlyAsAWord() throws {
        #expect(try clauses("add column a int references b").mentionsReferences)
        #expect(try !clauses(#"add column "references" text default 'references'"#).mentionsReferences)
    }

    @Test func splitsWhereTheSemicolonsAre() throws {
        let texts = try SQLStatement.split(" a 'x;y' ; ; /* ; */ b $$;$$ ;-- c ;\n").map(\.text)
        #expect(texts == ["a 'x;y'", "b $$;$$"])
    }
}
