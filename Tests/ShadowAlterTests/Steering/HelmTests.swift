import Logging
import Synchronization
import Testing

@testable import ShadowAlter

@Suite struct HelmTests {
    /// Somebody sets something while the work is held, or with the same words that hold it: nobody goes on, and nobody sees the hold, with what was before.
    @Test func whatIsSetIsInForceBeforeAHoldBeginsOrEnds() {
        let settings = LiveSettings(MigrationOptions())
        let seen = Mutex<[String]>([])
        let throttle = Throttle(lanes: 1) { stoppage in
            let size = settings.current.maximumChunkPages
            seen.withLock { $0.append("\(stoppage.isBeginning ? "held" : "goes on") with \(size)") }
        }
        let helm = Helm(
            settings: settings, throttle: throttle, status: StatusBox(),
            log: Logger(label: "helm", factory: { _ in SwiftLogNoOpLogHandler() }))
        var steering = Steering()
        steering.apply(.pause, now: 1)
        steering.apply(.set(.chunkSize, "3"), now: 1)
        helm.obey(steering, now: 1)
        steering.apply(.set(.chunkSize, "5"), now: 2)
        steering.apply(.resume, now: 2)
        helm.obey(steering, now: 2)
        #expect(seen.withLock { $0 } == ["held with 3", "goes on with 5"])
    }
}
