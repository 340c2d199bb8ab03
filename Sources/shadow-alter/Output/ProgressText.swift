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
            if let eta { parts.append("copy ends in \(time(eta))") }
        case .indexing:
            parts.append("\(snapshot.indexesBuilt) of \(snapshot.indexesToBuild) indexes built")
        case .catchingUp, .ready, .cuttingOver:
            parts.append("\(grouped(snapshot.keysRefreshed)) keys refreshed")
            if snapshot.cutOver.attempts > 0 { parts.append("attempt \(snapshot.cutOver.attempts)") }
        default: break
        }
        if let lag = snapshot.streamLag { parts.append("lag \(ByteCount(lag))") }
        parts.append("\(time(elapsed.components.seconds)) elapsed")
        if let reason = snapshot.reason { parts.append(reason) }
        return parts.joined(separator: "  ")
    }

    /// Seconds to the end of the copy at the present rate.
    private var eta: Int64? {
        guard let fraction = snapshot.copyFraction, fraction > 0.02, let rate, rate > 0 else { return nil }
        let remaining = Double(snapshot.rowsCopied) / fraction * (1 - fraction)
        return Int64(remaining / rate)
    }

    private func bar(_ fraction: Double, width: Int) -> String {
        let filled = Int(fraction * Double(width))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled) + "]"
    }
}

/// 1234567 as 1,234,567.
func grouped(_ number: Int64) -> String {
    var digits = Array(String(number.magnitude))
    var index = digits.count - 3
    while index > 0 {
        digits.insert(",", at: index)
        index -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}

/// Seconds as 1:02:03 or 2:03.
func time(_ seconds: Int64) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
}
