import ShadowAlter

/// Stops the work unless the check at `MigrationOptions.throttleHTTP` answers 200.
public struct HTTPThrottle: ThrottleSource {
    let patience: Duration

    public init() { self.init(patience: .seconds(2)) }

    /// - Parameter patience: how long an answer may take, from the look-up of the name to the last line of its head.
    init(patience: Duration) { self.patience = patience }

    public func reason(_ options: MigrationOptions) async throws -> String? {
        guard let address = options.throttleHTTP else { return nil }
        do {
            let status = try await HTTPQuestion(address: address, patience: patience).status()
            return status == 200 ? nil : "the check at \(address) answered \(status)"
        } catch let error as CancellationError {
            throw error
        } catch is HTTPQuestion.NoAnswer {
            return "the check at \(address) cannot be asked: no answer within \(DurationText(patience))"
        } catch {
            return "the check at \(address) cannot be asked: \(HTTPQuestion.text(error))"
        }
    }
}
