import ArgumentParser
import FoundationEssentials
import ShadowAlter

/// Which change.
struct ChangeArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The table to change.", valueName: "[schema.]table"))
    var table: String?

    @Option(
        help: ArgumentHelp(
            "The clauses of an ALTER TABLE, for example 'ALTER COLUMN id TYPE bigint'; empty rebuilds the table as it is.",
            valueName: "clauses"))
    var alter: String?

    @Option(
        help: ArgumentHelp(
            "A file with the statements of the change, instead of --table and --alter.", valueName: "file"))
    var script: String?

    @Option(help: "The migration's name. (default: the table's name)")
    var name: String?

    @Option(help: "auto: PostgreSQL's own ALTER TABLE where it touches nothing but catalogs, a shadow table otherwise.")
    var strategy: MigrationRequest.Strategy = .auto

    @Option(
        help: ArgumentHelp(
            "Go on although this publication is FOR ALL TABLES or of the table's schema; `plan` says what its subscribers have to do. Repeatable.",
            valueName: "name"))
    var allowPublication: [String] = []

    @Option(
        help: ArgumentHelp(
            "The value of a column of the old table, over the new table's columns, for the way back; `plan` says where it is needed. With several tables TABLE.COLUMN=EXPRESSION. Repeatable.",
            valueName: "column=expression"))
    var reverse: [ReverseExpression] = []

    @Option(
        help: ArgumentHelp(
            "old: from the cut-over until `finalize`, show the table in its old shape, for reading and writing, as a view in the schema NAME_old. new: until the cut-over, show it in its new shape in NAME_new. Repeatable.",
            valueName: "shape"))
    var compatView: [CompatView] = []

    func validate() throws {
        switch (table, alter, script) {
        case (.some, .some, nil), (nil, nil, .some): break
        case (.some, nil, nil):
            throw ValidationError(
                "--table needs --alter CLAUSES (an empty one, with --strategy shadow, rebuilds the table as it is).")
        default: throw ValidationError("Give either --table and --alter, or --script.")
        }
    }

    func request() throws -> MigrationRequest {
        if let table, let alter {
            return MigrationRequest(
                change: .alter(table: table, clauses: alter), name: name, strategy: strategy,
                allowedPublications: allowPublication, reverse: reverse, compatViews: shapes)
        }
        let path = script ?? ""
        guard let data = FileManager.default.contents(atPath: path), let text = String(bytes: data, encoding: .utf8)
        else {
            throw ValidationError("The script \(path) cannot be read as UTF-8 text.")
        }
        return MigrationRequest(
            change: .script(text), name: name, strategy: strategy, allowedPublications: allowPublication,
            reverse: reverse, compatViews: shapes)
    }

    /// Given twice is given once.
    private var shapes: [CompatView] { CompatView.allCases.filter { compatView.contains($0) } }
}

extension MigrationRequest.Strategy: ExpressibleByArgument {}

extension CompatView: ExpressibleByArgument {}

extension ReverseExpression: ExpressibleByArgument {
    public init?(argument: String) { self.init(text: argument) }
}
