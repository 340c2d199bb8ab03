/// A server, or one of PostgreSQL's programs, did not do what it was asked to do.
///
/// The message says what happened, to which object, what state things are in, and what to do next; what the program
/// or the server's log said is part of it, because the files themselves are gone when somebody reads the message.
public struct ThrowawayServerError: Error, CustomStringConvertible, Sendable {
    /// The whole message, with the output or log below the first paragraph.
    public let description: String

    init(_ message: String, evidence: String? = nil) {
        guard let evidence, !evidence.isEmpty else {
            description = message
            return
        }
        description = message + "\n" + evidence.split(separator: "\n").map { "  | \($0)" }.joined(separator: "\n")
    }
}
