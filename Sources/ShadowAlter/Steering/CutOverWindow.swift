/// A time of the week in which the tables may be exchanged: `Sun 02:00-04:00 UTC`, `Mon-Fri 22:00-05:00 Europe/Berlin`, `03:00-04:00`. Pure.
///
/// A window that ends before it begins reaches into the next day, and belongs to the day on which it begins.
public struct CutOverWindow: Sendable, Equatable, CustomStringConvertible {
    /// 1, Monday, to 7, Sunday, as ISO 8601 and PostgreSQL's `isodow` count; on which it begins.
    public let weekdays: Set<Int>
    /// Minutes since midnight, 0 to 1439.
    public let start: Int
    /// Minutes since midnight, 0 to 1440; exclusive.
    public let end: Int
    /// A time zone that the server knows, by the name that it has there.
    public let timeZone: String
    public let description: String

    /// A moment on the clock of the window's time zone.
    struct LocalTime: Sendable, Equatable {
        /// 1, Monday, to 7, Sunday.
        var weekday: Int
        /// Since midnight.
        var minute: Int
    }

    private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// nil when it is not `[DAY[-DAY][,…]] HH:MM-HH:MM [ZONE]`. Whether the server knows the zone is for the server to say. Without a zone: UTC.
    public init?(_ text: String) {
        var words = text.split(separator: " ").map(String.init)
        guard !words.isEmpty else { return nil }
        var weekdays = Set(1...7)
        if let first = words.first?.first, first.isLetter {
            guard let days = Self.days(words.removeFirst()) else { return nil }
            weekdays = days
        }
        guard (1...2).contains(words.count) else { return nil }
        let times = words[0].split(separator: "-", omittingEmptySubsequences: false).map { Self.minutes(String($0)) }
        guard times.count == 2, let start = times[0], let end = times[1], start < 1440, start != end,
            end != 0 || start != 0
        else { return nil }
        self.weekdays = weekdays
        self.start = start
        self.end = end == 0 ? 1440 : end
        timeZone = words.count == 2 ? words[1] : "UTC"
        description = text
    }

    /// `Sun`, `mon-fri`, `Sat,Sun`, `fri-mon`.
    private static func days(_ text: String) -> Set<Int>? {
        var days: Set<Int> = []
        for part in text.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                names.firstIndex(of: String($0))
            }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else { return nil }
            for offset in 0...((last - first + 7) % 7) { days.insert((first + offset) % 7 + 1) }
        }
        return days
    }

    /// `00:00` to `24:00`, always with two digits each.
    private static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else { return nil }
        return hour * 60 + minute
    }

    func contains(_ time: LocalTime) -> Bool {
        if start < end { return weekdays.contains(time.weekday) && time.minute >= start && time.minute < end }
        let yesterday = (time.weekday + 5) % 7 + 1
        return (weekdays.contains(time.weekday) && time.minute >= start)
            || (weekdays.contains(yesterday) && time.minute < end)
    }
}
