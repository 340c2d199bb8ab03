import Logging

/// Hands a log on without the secrets of the change.
struct DiscreetLog: LogHandler {
    private var inner: any LogHandler
    private let secrets: Secrets

    /// The same log, without these secrets.
    static func over(_ log: Logger, _ secrets: Secrets) -> Logger {
        var discreet = log
        discreet.handler = DiscreetLog(inner: log.handler, secrets: secrets)
        return discreet
    }

    private init(inner: any LogHandler, secrets: Secrets) {
        self.inner = inner
        self.secrets = secrets
    }

    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(secrets.hidden(in: "\(event.message)"))"
        inner.log(event: event)
    }
}
