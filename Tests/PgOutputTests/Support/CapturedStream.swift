import PgOutput
import Testing

/// The major versions whose streams are in Fixtures/.
enum CapturedVersion: Int, CaseIterable {
    case postgres15 = 15
    case postgres18 = 18
}

/// What a server of one version sent; the identifiers that it chose are looked up in the stream itself.
struct CapturedStream: Sendable {
    let emitted: [LSN]
    let raw: [[UInt8]]
    let messages: [PgOutputMessage]

    init(emitted: [String], hex: String) throws {
        self.emitted = try emitted.map { try #require(LSN($0)) }
        self.raw = try PgOutputTests.messages(hexParagraphs: hex).map { try #require($0) }
        self.messages = try raw.map { try decode($0) }
    }

    static func text(_ version: CapturedVersion) throws -> CapturedStream {
        switch version {
        case .postgres15:
            try CapturedStream(emitted: CapturedFromPostgres15.emitted, hex: CapturedFromPostgres15.text)
        case .postgres18:
            try CapturedStream(emitted: CapturedFromPostgres18.emitted, hex: CapturedFromPostgres18.text)
        }
    }

    static func binary(_ version: CapturedVersion) throws -> CapturedStream {
        switch version {
        case .postgres15: try CapturedStream(emitted: [], hex: CapturedFromPostgres15.binary)
        case .postgres18: try CapturedStream(emitted: [], hex: CapturedFromPostgres18.binary)
        }
    }

    /// The identifier of a table that the stream introduces.
    func relationID(_ name: String) throws -> UInt32 {
        let ids = messages.compactMap { message -> UInt32? in
            guard case .relation(let relation) = message, relation.name == name else { return nil }
            return relation.relationID
        }
        return try #require(ids.first)
    }

    /// The identifier of the type that the stream introduces.
    func typeID() throws -> UInt32 {
        let ids = messages.compactMap { message -> UInt32? in
            guard case .type(let type) = message else { return nil }
            return type.typeID
        }
        return try #require(ids.first)
    }

    /// The messages between a Begin and its Commit or between transactions, without those two.
    var body: [PgOutputMessage] {
        messages.filter { ![.begin, .commit].contains($0.messageType) }
    }
}
