import ShadowAlter

/// What a hook is told in its environment, besides what is in ours. Pure.
enum HookEnvironment {
    static let prefix = "SHADOW_ALTER_"
    /// Linux takes no variable of more than 128 kB, and no program when all are too large together.
    static let longestValue = 16_384

    /// Every variable is there for every event; what is not known, or makes no sense, is empty.
    static func variables(_ event: MigrationEvent, in scene: EventScene) -> [String: String] {
        let status = scene.status
        var all: [String: String] = [
            "EVENT": event.kind.rawValue,
            "NAME": scene.subject.name,
            "DATABASE": scene.subject.database,
            "SERVER": scene.subject.server,
            "TABLES": scene.subject.tables.joined(separator: ","),
            "CHANGE": scene.subject.change.withoutLiterals,
            "PHASE": status.phase.rawValue,
            "CONDITION": status.condition.rawValue,
            "REASON": status.reason ?? "",
            "READY": "\(status.ready)",
            "ROWS_COPIED": "\(status.tables.reduce(0) { $0 + $1.rowsCopied })",
            "ROWS_ESTIMATED": estimate(status.tables),
            "PERCENT": scene.percent.map { "\(($0 * 10).rounded() / 10)" } ?? "",
            "ELAPSED_SECONDS": "\(Int64(status.elapsedSeconds))",
            "ETA_SECONDS": status.etaSeconds.map { "\(Int64($0.rounded()))" } ?? "",
            "CUT_OVER_ATTEMPTS": "\(status.cutOver.attempts)",
            "HOLD_MS": status.cutOver.lastHoldMs.map { "\(($0 * 10).rounded() / 10)" } ?? "",
            "RESUMED": "\(scene.subject.isResumed)",
            "SOCKET": scene.subject.socket ?? "",
            "THROTTLE": "", "ERROR_CODE": "", "ERROR": "", "ERROR_STATE": "", "ERROR_ADVICE": "",
        ]
        switch event {
        case .throttle(let stoppage): all["THROTTLE"] = stoppage.isBeginning ? "begin" : "end"
        case .failure(let failure):
            all["ERROR_CODE"] = failure.code
            all["ERROR"] = failure.message
            all["ERROR_STATE"] = failure.state
            all["ERROR_ADVICE"] = failure.advice
        default: break
        }
        return Dictionary(uniqueKeysWithValues: all.map { (prefix + $0.key, fit($0.value)) })
    }

    private static func estimate(_ tables: [MigrationStatus.Table]) -> String {
        let known = tables.compactMap(\.rowsEstimated)
        return known.count == tables.count && !known.isEmpty ? "\(known.reduce(0, +))" : ""
    }

    /// Without the bytes that end a variable, and not longer than it may be.
    private static func fit(_ value: String) -> String {
        let text = String(value.unicodeScalars.filter { $0 != "\0" })
        guard text.utf8.count > longestValue else { return text }
        return String(text.unicodeScalars.prefix(longestValue / 4)) + "…"
    }
}
