import FoundationEssentials
import Testing

/// A schema that has at least one of everything that a migration has to carry over, around the table `shop.orders`: a file for each kind.
struct KitchenSink: Sendable {
    enum Section: String, Sendable, CaseIterable {
        case roles = "00-roles"
        case surroundings = "01-surroundings"
        case table = "10-table"
        case comments = "15-comments"
        case privileges = "16-privileges"
        case foreignKeys = "20-foreign-keys"
        case rowSecurity = "30-row-security"
        case triggers = "40-triggers"
        case rules = "45-rules"
        case views = "50-views"
        case materializedViews = "55-materialized-views"
        case functions = "60-functions"
        case functionsInViews = "65-functions-in-views"
        case publications = "70-publications"
        case eventTrigger = "80-event-trigger"
        case statistics = "90-statistics"
    }

    /// In the order of their names.
    var sections = Section.carried

    /// Executed by psql, which leaves out what the server's version does not have.
    ///
    /// - Parameter change: executed natively once the table and its rows are there, and nothing yet that would stand in its way.
    func create(in database: TestDatabase, change: String = "") async throws {
        var script = ""
        for section in sections {
            script += try Self.text(section)
            if section == .table { script += "\n\(change)\n" }
        }
        try await database.psql(script)
    }

    static func text(_ section: Section) throws -> String {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "KitchenSink")
        let data = FileManager.default.contents(atPath: directory.appending(path: "\(section.rawValue).sql").path)
        return String(decoding: try #require(data, "there is no file for \(section)"), as: UTF8.self)
    }
}

extension KitchenSink.Section {
    /// What is carried over; the others are refused by name.
    static let carried = allCases
}
