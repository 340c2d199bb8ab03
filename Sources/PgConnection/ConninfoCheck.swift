import CLibPQ

/// What is wrong with a connection string, without repeating it: libpq's own messages quote it, with its password.
enum ConninfoCheck {
    /// nil: libpq understands it.
    static func complaint(_ conninfo: String) -> String? {
        let isURI = conninfo.hasPrefix("postgresql://") || conninfo.hasPrefix("postgres://")
        guard isURI || conninfo.contains("=") else {
            // Anything else is the name of a database, which errors repeat.
            guard !conninfo.contains("://") && !conninfo.contains("@") else {
                return "the connection string is neither a URI that begins with postgresql:// nor made of keywords"
            }
            return nil
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(conninfo, &message) else {
            defer { PQfreemem(message) }
            let text = message.map { String(cString: $0) } ?? ""
            let plain = text.prefix { $0 != "\"" && $0 != "\n" }
            return "the connection string cannot be understood: \(plain)" + (plain.endIndex < text.endIndex ? "…" : "")
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            let isPlace = ["host", "hostaddr", "port"].contains(String(cString: keyword))
            if isPlace, let value = option.pointee.val, String(cString: value).contains("@") {
                return "the connection string has an @ in its host: write an @ in a user's name or a password as %40"
            }
            option += 1
        }
        return nil
    }
}
