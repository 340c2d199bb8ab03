/// Something outside of the server that says whether rows may be copied and refreshed: a web service, for example.
public protocol ThrottleSource: Sendable {
    /// Why they may not; nil: they may. Asked once a second; one that throws stops the work, too, and one that does not answer is not waited for
    /// longer than `ThrottleWatch.patience`.
    ///
    /// - Parameter options: as they are in force now, with what `set` has changed.
    func reason(_ options: MigrationOptions) async throws -> String?
}
