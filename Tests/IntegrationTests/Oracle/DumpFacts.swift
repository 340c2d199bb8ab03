/// What pg_dump says, an entry of its table of contents at a time.
enum DumpFacts {
    /// pg_dump writes a comment `-- Name: …; Type: …; Schema: …; Owner: …` above each entry.
    static func parse(_ dump: String) -> SchemaDescription {
        var found = SchemaDescription()
        var entry: (name: String, lines: [Substring])?
        func finish() {
            guard let entry else { return }
            let text = entry.lines.joined(separator: "\n").trimmingBlankLines
            if !text.isEmpty { found.add("pg_dump", entry.name, "", text) }
        }
        for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- Name: ") {
                finish()
                entry = (String(line.dropFirst("-- Name: ".count)), [])
            } else if line.hasPrefix("-- PostgreSQL database dump complete") {
                break
            } else if !isNoise(line) {
                entry?.lines.append(line)
            }
        }
        finish()
        return found
    }

    /// Comments, and the two settings that pg_dump writes when they change from one entry to the next: the catalogs tell
    /// tablespaces and access methods for each object.
    private static func isNoise(_ line: Substring) -> Bool {
        line == "--" || line.hasPrefix("SET default_tablespace ") || line.hasPrefix("SET default_table_access_method ")
    }
}

extension String {
    fileprivate var trimmingBlankLines: String {
        String(drop(while: \.isNewline).reversed().drop(while: \.isNewline).reversed())
    }
}
