/// How many copy lanes may run, from what a commit costs the application. Pure.
///
/// Lanes shrink one by one when commits become clearly slower than on the quiet server, and grow back when they are as fast as before; in
/// between nothing changes, so that the number does not flutter.
struct LaneGovernor: Sendable, Equatable {
    let maximum: Int
    private(set) var lanes: Int
    private(set) var baseline: Duration?
    private var goodSamples = 0

    init(maximum: Int) {
        self.maximum = max(1, maximum)
        lanes = self.maximum
    }

    /// What commits cost before the copy began.
    mutating func setBaseline(_ samples: [Duration]) {
        guard !samples.isEmpty else { return }
        baseline = samples.sorted()[samples.count / 2]
    }

    /// All lanes may run: there is nobody to be slowed down.
    mutating func release() {
        lanes = maximum
        goodSamples = 0
    }

    /// Takes one heartbeat's commit.
    mutating func observe(_ commit: Duration) {
        guard let baseline else { return }
        if commit > baseline * 4 + .milliseconds(10) {
            lanes = max(1, lanes - 1)
            goodSamples = 0
        } else if commit < baseline * 2 + .milliseconds(2) {
            goodSamples += 1
            if goodSamples >= 3 {
                lanes = min(maximum, lanes + 1)
                goodSamples = 0
            }
        } else {
            goodSamples = 0
        }
    }
}
