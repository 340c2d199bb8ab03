import ShadowAlter

/// What became of a verification, for people. Pure.
public struct VerificationText: Sendable {
    private let verify: MigrationStatus.Verify

    public init(_ verify: MigrationStatus.Verify) { self.verify = verify }

    /// nil when there was none.
    public var line: String? {
        guard let outcome = verify.outcome else { return nil }
        let rows = "\(grouped(verify.rowsChecked)) rows" + (verify.mode.map { $0 == "full" ? "" : " (\($0))" } ?? "")
        let leftOut =
            (verify.uncompared ?? []).isEmpty
            ? "" : "; not compared: " + (verify.uncompared ?? []).joined(separator: ", ")
        switch outcome {
        case .running: return "\(rows) so far, \(grouped(verify.mismatches)) differed" + leftOut
        case .passed:
            let repaired =
                verify.mismatches == 0 ? "no difference" : "\(grouped(verify.mismatches)) differed and were repaired"
            return "\(rows), \(repaired)" + leftOut
        case .failed: return "FAILED: \(grouped(verify.mismatches)) differed" + leftOut
        }
    }
}
