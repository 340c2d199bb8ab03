/// What each message's file provides: the one place where its layout on the wire is written down.
protocol WireMessage: Sendable, Hashable {
    /// Reads the body: everything behind the type, up to and including the last field.
    init(from cursor: inout WireCursor, in bytes: RawSpan) throws(PgOutputError)
}
