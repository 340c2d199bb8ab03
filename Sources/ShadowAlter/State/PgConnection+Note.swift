import PgConnection

extension PgConnection {
    /// A text for people, to be kept in the database, in characters that it has.
    ///
    /// What others say (a hook, a web service), and our own signs for what is left out, may be in characters that the encoding of an older database does not
    /// have. There only ASCII is kept: no note is worth a run that ends.
    nonisolated func note(_ text: String?) -> PgParameter {
        guard let text, serverEncoding != "UTF8", encodingOfValues == nil else { return .text(text) }
        let scalars = text.replacing("…", with: "...").unicodeScalars.map { $0.isASCII ? $0 : "?" }
        return .text(String(String.UnicodeScalarView(scalars)))
    }
}
