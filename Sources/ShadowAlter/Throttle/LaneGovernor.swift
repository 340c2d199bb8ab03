/// How many copy lanes may run, from what a commit costs the application, and from how close the limits of the throttle are. Pure.
///
/// Lanes shrink one by one when commits become clearly slower than on the quiet server, and grow back when they are as fast as before; in
/// between nothing changes, so that the number does not flutter. They shrink, too, when something that would stop the work comes close to it.
struct LaneGovernor: Sendable, Equatable {
    private(set) var maximum: Int
    /// As many as commits allow.
    private var affordable: Int
    /// How close something that would stop the work is to doing so: its value as a part of its limit.
    private(set) var pressure = 0.0
    private(set) var baseline: Duration?
    private var goodSamples = 0

    init(maximum: Int) {
        self.maximum = max(1, maximum)
        affordable = self.maximum
    }

    var lanes: Int { min(affordable, bearable) }

    /// Half way to a limit lanes begin to shrink, so that it is approached slowly, and at best never reached; at the limit one is left.
    private var bearable: Int {
        guard pressure > 0.5 else { return maximum }
        return max(1, Int((Double(maximum) * (1 - pressure) / 0.5).rounded(.up)))
    }

    /// - Parameter pressure: 0 and more; at 1 the work is stopped.
    mutating func observe(pressure: Double) { self.pressure = pressure }

    /// Another number of lanes is wanted. New ones begin at once.
    mutating func setMaximum(_ new: Int) {
        let new = max(1, new)
        guard new != maximum else { return }
        affordable = new > maximum ? affordable + new - maximum : min(affordable, new)
        maximum = new
    }

    /// What commits cost before the copy began.
    mutating func setBaseline(_ samples: [Duration]) {
        guard !samples.isEmpty else { return }
        baseline = samples.sorted()[samples.count / 2]
    }

    /// All lanes may run: there is nobody to be slowed down.
    mutating func release() {
        affordable = maximum
        goodSamples = 0
    }

    /// Takes one heartbeat's commit.
    mutating func observe(_ commit: Duration) {
        guard let baseline else { return }
        if commit > baseline * 4 + .milliseconds(10) {
            affordable = max(1, affordable - 1)
            goodSamples = 0
        } else if commit < baseline * 2 + .milliseconds(2) {
            goodSamples += 1
            if goodSamples >= 3 {
                affordable = min(maximum, affordable + 1)
                goodSamples = 0
            }
        } else {
            goodSamples = 0
        }
    }
}

extension LaneGovernor {
    /// Why fewer lanes run than could, for people; nil when all do.
    var explanation: String? {
        guard lanes < maximum else { return nil }
        let of = "\(lanes) of \(maximum) lanes"
        return bearable < affordable
            ? "a limit is near, at \(Int(pressure * 100)) %: \(of)"
            : "commits are slower than on the quiet server: \(of)"
    }
}
