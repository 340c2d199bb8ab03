import CLibPQ

/// A message that the server sent beside its answer.
public struct PgNotice: Sendable {
    /// DEBUG, LOG, INFO, NOTICE or WARNING, never localised (PG_DIAG_SEVERITY_NONLOCALIZED).
    public let severity: String
    public let message: String

    init(result: OpaquePointer?) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        severity = field("V") ?? field("S") ?? "NOTICE"
        message = field("M") ?? ""
    }
}

/// Carries the handler through libpq's untyped pointer.
final class NoticeBox: Sendable {
    let handler: @Sendable (PgNotice) -> Void

    init(_ handler: @escaping @Sendable (PgNotice) -> Void) {
        self.handler = handler
    }

    static let receive: PQnoticeReceiver = { context, result in
        guard let context else { return }
        Unmanaged<NoticeBox>.fromOpaque(context).takeUnretainedValue().handler(PgNotice(result: result))
    }
}
