/// What operators have asked of a migration. Kept in its row of the state tables, so that it holds for the run that is alive and for the next.
struct Steering: Codable, Sendable, Equatable {
    enum CutOverWish: String, Codable, Sendable {
        case wanted
        case postponed
    }

    /// Nothing is copied, refreshed or exchanged; the stream is spooled.
    struct Hold: Codable, Sendable, Equatable {
        enum Kind: String, Codable, Sendable {
            case paused
            case throttled
        }

        var kind: Kind
        /// In seconds since 1970 by the server's clock; nil: until somebody ends it.
        var until: Double?
    }

    var hold: Hold?
    /// nil: as the command line of the run says.
    var cutOver: CutOverWish?
    var isAborted = false
    /// The old tables are to become live again.
    var wantsRollback = false
    /// When a verification was asked for last, in seconds since 1970 by the server's clock. One that begins later fulfils it.
    var verification: Double?
    /// When `finalize` was asked for last, likewise. A run that began to listen before that obeys.
    var finalization: Double?
    /// Settings that were changed, by their names, as they were written.
    var settings: [String: String] = [:]

    init() {}

    /// What is missing was never asked.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        hold = try container.decodeIfPresent(Hold.self, forKey: .hold)
        cutOver = try container.decodeIfPresent(CutOverWish.self, forKey: .cutOver)
        verification = try container.decodeIfPresent(Double.self, forKey: .verification)
        finalization = try container.decodeIfPresent(Double.self, forKey: .finalization)
        isAborted = try container.decodeIfPresent(Bool.self, forKey: .isAborted) ?? false
        wantsRollback = try container.decodeIfPresent(Bool.self, forKey: .wantsRollback) ?? false
        settings = try container.decodeIfPresent([String: String].self, forKey: .settings) ?? [:]
    }

    enum CodingKeys: String, CodingKey {
        case hold
        case cutOver = "cut_over"
        case isAborted = "aborted"
        case wantsRollback = "rollback"
        case verification = "verify"
        case finalization = "finalize"
        case settings
    }

    /// - Parameter now: seconds since 1970 by the server's clock.
    mutating func apply(_ command: SteeringCommand, now: Double) {
        switch command {
        case .pause: hold = Hold(kind: .paused, until: nil)
        case .throttle(let expiry): hold = Hold(kind: .throttled, until: expiry.map { now + $0.seconds })
        case .resume: hold = nil
        case .cutOver: cutOver = .wanted
        case .postpone:
            cutOver = .postponed
            wantsRollback = false
        case .rollback: wantsRollback = true
        case .abort: isAborted = true
        case .verify: verification = now
        case .finalize: finalization = now
        case .set(let setting, let value): settings[setting.rawValue] = value
        }
    }

    /// The hold that is in force.
    func hold(now: Double) -> Hold? {
        guard let hold, hold.until.map({ $0 > now }) ?? true else { return nil }
        return hold
    }
}
