/// A small change that somebody who copies a table could forget, and a word that the oracle's finding must have.
struct Damage: Sendable, CustomStringConvertible {
    let sql: String
    let word: String
    let since: Int

    init(_ sql: String, _ word: String, since: Int = 14) {
        self.sql = sql
        self.word = word
        self.since = since
    }

    var description: String { sql }

    /// All are done to the kitchen sink.
    static let all = table + columns + indexes + constraints + hangingOn + views + access
}
