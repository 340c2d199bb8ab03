import Testing

@testable import ShadowAlter

@Suite struct CutOverWindowTests {
    private func time(_ weekday: Int, _ hour: Int, _ minute: Int) -> CutOverWindow.LocalTime {
        .init(weekday: weekday, minute: hour * 60 + minute)
    }

    @Test func oneNight() throws {
        let window = try #require(CutOverWindow("Sun 02:00-04:00 UTC"))
        #expect(window.weekdays == [7] && window.start == 120 && window.end == 240 && window.timeZone == "UTC")
        #expect(window.contains(time(7, 2, 0)))
        #expect(window.contains(time(7, 3, 59)))
        #expect(!window.contains(time(7, 4, 0)))
        #expect(!window.contains(time(7, 1, 59)))
        #expect(!window.contains(time(6, 3, 0)))
    }

    @Test func aWindowThatReachesIntoTheNextDay() throws {
        let window = try #require(CutOverWindow("Sun 23:30-01:00 Europe/Berlin"))
        #expect(window.timeZone == "Europe/Berlin")
        #expect(window.contains(time(7, 23, 30)))
        #expect(window.contains(time(1, 0, 59)), "Monday")
        #expect(!window.contains(time(1, 1, 0)))
        #expect(!window.contains(time(7, 0, 30)), "that would be Saturday's")
    }

    @Test func severalDaysAndEveryDay() throws {
        #expect(CutOverWindow("Mon-Fri 01:00-02:00")?.weekdays == [1, 2, 3, 4, 5])
        #expect(CutOverWindow("fri-mon 01:00-02:00")?.weekdays == [5, 6, 7, 1])
        #expect(CutOverWindow("Sat,Wed 01:00-02:00")?.weekdays == [6, 3])
        let daily = try #require(CutOverWindow("22:00-00:00"))
        #expect(daily.weekdays.count == 7 && daily.end == 1440 && daily.timeZone == "UTC")
        #expect(daily.contains(time(3, 23, 59)) && !daily.contains(time(3, 0, 0)))
        #expect(CutOverWindow("00:00-24:00")?.contains(time(1, 12, 0)) == true)
    }

    @Test(arguments: [
        "", "Sun", "Sun UTC", "Sunday 02:00-04:00", "Sun 2:00-4:00", "Sun 02:00", "Sun 02:00-25:00", "Sun 02:60-03:00",
        "Sun 02:00-02:00",
        "00:00-00:00", "24:00-01:00", "Sun, 02:00-04:00", "Sun- 02:00-04:00", "Sun 02:00-04:00 UTC x",
        "Sun 02:00-04:00-05:00", "Sun ٠٢:00-04:00",
    ])
    func anythingElseIsNoWindow(_ text: String) {
        #expect(CutOverWindow(text) == nil)
    }
}
