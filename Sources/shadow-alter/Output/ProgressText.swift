import ControlPlane
import ShadowAlter

/// A status as one line for people. Pure.
struct ProgressText {
    let snapshot: StatusBox.Snapshot
    let elapsed: Duration
    /// Rows a second lately; nil while unknown.
    let rate: Double?

    func line(barWidth: Int) -> String {
        var parts = [snapshot.phase.rawValue]
        switch snapshot.phase {
        case .copying:
            if let fraction = snapshot.copyFraction {
                if barWidth > 0 { parts.append(bar(fraction, width: barWidth)) }
                parts.append("\(Int(fraction * 100)) %")
            }
            parts.append("\(grouped(snapshot.rowsCopied)) rows")
            if let rate { parts.append("\(grouped(Int64(rate)))/s") }
            if let left = snapshot.estimate.phase { parts.append("copy ends in \(time(Int64(left)))") }
        case .indexing:
            parts.append("\(snapshot.indexesBuilt) of \(snapshot.indexesToBuild) indexes built")
            if let left = snapshot.estimate.phase { parts.append("the rest in \(time(Int64(left)))") }
        case .catchingUp, .ready, .cuttingOver:
            parts.append("\(grouped(snapshot.keysRefreshed)) keys refreshed")
            if snapshot.cutOver.attempts > 0 { parts.append("attempt \(snapshot.cutOver.attempts)") }
        default: break
        }
        if let lag = snapshot.streamLag { parts.append("lag \(ByteCount(lag))") }
        parts.append("\(time(elapsed.components.seconds)) elapsed")
        if let reason = snapshot.currentReason { parts.append(reason) }
        return parts.joined(separator: "  ")
    }

    private func bar(_ fraction: Double, width: Int) -> String {
        let filled = Int(fraction * Double(width))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled) + "]"
    }
}
