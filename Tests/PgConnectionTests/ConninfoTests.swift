import Testing

@testable import PgConnection

/// A connection string that is wrong is not repeated: it may hold a password.
@Suite struct ConninfoTests {
    @Test(arguments: [
        "postgresql://me:secret@[::1/db", "postgresql://me:secret@host/db?nonsense=1",
        "postgres://me:sec%zzret@host/db",
        "postgres://me:secret@secret@host/db", "postgresql://me:@secret@host", "host=h password=two secret words",
        "password=secret host", "password='secret", "mysql://me:secret@host/db", "postgress://me:secret@host/db?x=1",
        "me:secret@host", "pasword=secret",
    ])
    func isNotRepeated(_ conninfo: String) async throws {
        await #expect {
            _ = try await PgConnection.connect(ConnectionOptions(conninfo: conninfo))
        } throws: { error in
            guard let error = error as? PgError, error.code == .connectionFailed else { return false }
            return !"\(error)".contains("secret") && "\(error)".contains("connection string")
        }
    }

    @Test(arguments: ["", "shop", "host=/tmp dbname=x", "postgresql:///x?host=/tmp", "postgres://u:p%40q@h1,h2:5433/d"])
    func whatLibpqUnderstandsIsTaken(_ conninfo: String) {
        #expect(ConninfoCheck.complaint(conninfo) == nil)
    }
}
