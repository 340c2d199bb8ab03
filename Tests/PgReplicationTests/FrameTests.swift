import PgConnection
import PgOutput
import Testing

@testable import PgReplication

@Suite struct FrameTests {
    private let data: [UInt8] =
        [0x77] + [0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0, 3, 0, 0, 0, 4] + Array(repeating: 0xFF, count: 8) + [0x42]
    private let keepalive: [UInt8] = [0x6B] + [0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0, 0, 0, 0, 0, 9] + [1]

    private func parse(_ bytes: [UInt8]) -> ReplicationFrame? { ReplicationFrame(bytes.span.bytes) }

    @Test func framesFromTheServer() {
        #expect(
            parse(data)
                == .data(walStart: LSN(rawValue: 0x1_0000_0002), walEnd: LSN(rawValue: 0x3_0000_0004), sendTime: -1))
        #expect(
            parse(keepalive) == .keepalive(end: LSN(rawValue: 0x1_0000_0002), sendTime: 9, wantsReply: true))
        #expect(
            parse(keepalive.dropLast() + [0])
                == .keepalive(
                    end: LSN(rawValue: 0x1_0000_0002), sendTime: 9, wantsReply: false))
    }

    @Test func shortLongAndUnknownFramesAreNil() {
        for length in 0..<ReplicationFrame.payloadOffset { #expect(parse(Array(data.prefix(length))) == nil) }
        #expect(parse(Array(data.prefix(ReplicationFrame.payloadOffset))) != nil)
        for length in 0..<keepalive.count { #expect(parse(Array(keepalive.prefix(length))) == nil) }
        #expect(parse(keepalive + [0]) == nil)
        #expect(parse([0x78] + data.dropFirst()) == nil)
    }

    @Test func statusUpdate() {
        let update = StandbyStatusUpdate(confirmed: LSN(rawValue: 0x1_0000_0002), sendTime: -2, wantsReply: true)
        let position: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2]
        #expect(
            update.bytes == [0x72] + position + position + position + Array(repeating: 0xFF, count: 7) + [0xFE, 1])
        #expect(update.bytes.count == StandbyStatusUpdate.length)
    }

    @Test func startReplicationQuotesAsTheReplicationGrammarWantsIt() {
        let options = #"proto_version '1', publication_names '"it''s ""a\b"""', messages 'true'"#
        #expect(
            ReplicationCommand.start(slot: "1_slot", publication: #"it's "a\b""#)
                == #"START_REPLICATION SLOT "1_slot" LOGICAL 0/0 (\#(options))"#)
    }

    @Test func waitsGrowUpToTheLimitAndStartAnew() throws {
        var policy = ReconnectPolicy(initial: .milliseconds(100), maximum: .seconds(1), attempts: 100)
        for limit in [100, 200, 400, 800, 1000, 1000] {
            let next = policy.next()
            let wait = try #require(next)
            #expect(wait >= .milliseconds(limit / 2) && wait <= .milliseconds(limit))
        }
        for _ in 6..<100 {
            let wait = policy.next()
            #expect(try #require(wait) <= .seconds(1))
        }
        let none = policy.next()
        #expect(none == nil)
        policy.reset()
        let first = policy.next()
        #expect(try #require(first) <= .milliseconds(100))
    }

    @Test func classification() {
        func failure(_ state: String, _ message: String, detail: String? = nil) -> StreamFailure {
            var error = PgError(code: .server(SQLState(rawValue: state)), message: message)
            error.detail = detail
            return StreamFailure(error)
        }
        #expect(failure("55000", "cannot read from logical replication slot \"x\"") == .slotInvalidated)
        #expect(failure("55000", "can no longer access replication slot \"x\"") == .slotInvalidated)
        #expect(failure("55000", "logical decoding requires wal_level >= logical") == .other)
        #expect(failure("42704", "replication slot \"x\" does not exist") == .slotMissing)
        #expect(failure("55006", "replication slot \"x9\" is active for PID 123") == .slotActive(pid: 123))
        #expect(failure("55006", "in use") == .slotActive(pid: nil))
        #expect(failure("57P01", "terminating") == .connectionLost)
        #expect(failure("42601", "syntax error") == .other)
        #expect(StreamFailure(PgError(code: .connectionFailed, message: "refused")) == .connectionLost)
    }
}
