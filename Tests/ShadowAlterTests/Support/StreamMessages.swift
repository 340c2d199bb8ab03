import Glibc
import PgOutput
import Testing

@testable import PgReplication
@testable import ShadowAlter

/// Messages of the stream by hand, in the format of the documentation's "Logical Replication Message Formats".
struct StreamMessage {
    private(set) var bytes: [UInt8]

    private init(_ kind: Character, _ parts: [[UInt8]]) {
        bytes = [kind.asciiValue ?? 0] + parts.flatMap { $0 }
    }

    private static func number(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    /// nil is NULL.
    private static func tuple(_ values: [String?]) -> [UInt8] {
        tuple(values.map { $0.map { .text(Array($0.utf8)) } ?? .null })
    }

    private static func tuple(_ values: [TupleValue]) -> [UInt8] {
        number(Int16(values.count))
            + values.flatMap { value -> [UInt8] in
                switch value {
                case .null: Array("n".utf8)
                case .unchangedToast: Array("u".utf8)
                case .text(let bytes): Array("t".utf8) + number(Int32(bytes.count)) + bytes
                case .binary(let bytes): Array("b".utf8) + number(Int32(bytes.count)) + bytes
                }
            }
    }

    static func begin(_ xid: UInt32, final: UInt64) -> Self {
        Self("B", [number(final), number(Int64(0)), number(xid)])
    }

    static func commit(_ position: UInt64, end: UInt64) -> Self {
        Self("C", [[0], number(position), number(end), number(Int64(0))])
    }

    static func relation(_ oid: UInt32, columns: [String] = ["id"]) -> Self {
        let list = columns.map { [1] + string($0) + number(UInt32(25)) + number(Int32(-1)) }
        return Self(
            "R", [number(oid), string("public"), string("item"), Array("d".utf8), number(Int16(columns.count))] + list)
    }

    static func insert(_ oid: UInt32, _ new: [String?]) -> Self {
        Self("I", [number(oid), Array("N".utf8), tuple(new)])
    }

    static func update(_ oid: UInt32, old: [String?]? = nil, _ new: [String?]) -> Self {
        Self("U", [number(oid), old.map { Array("K".utf8) + tuple($0) } ?? [], Array("N".utf8), tuple(new)])
    }

    static func update(_ oid: UInt32, old: [TupleValue]?, values: [TupleValue]) -> Self {
        Self("U", [number(oid), old.map { Array("K".utf8) + tuple($0) } ?? [], Array("N".utf8), tuple(values)])
    }

    static func delete(_ oid: UInt32, _ old: [String?]) -> Self {
        Self("D", [number(oid), Array("K".utf8), tuple(old)])
    }

    static func truncate(_ oids: [UInt32]) -> Self {
        Self("T", [number(Int32(oids.count)), [0]] + oids.map { number($0) })
    }

    static func watermark(_ id: String, prefix: String = ChangeCollector.watermarkPrefix) -> Self {
        Self("M", [[1], number(UInt64(0)), string(prefix), number(Int32(id.utf8.count)), Array(id.utf8)])
    }

    /// As libpq hands it over: behind a header, in memory that libpq frees.
    func data() throws -> XLogData {
        let header = [UInt8](repeating: 0, count: ReplicationFrame.payloadOffset)
        let all = header + bytes
        let pointer = try #require(malloc(all.count)).bindMemory(to: CChar.self, capacity: all.count)
        for (index, byte) in all.enumerated() { pointer[index] = CChar(bitPattern: byte) }
        return XLogData(
            walStart: LSN(rawValue: 0), walEnd: LSN(rawValue: 0), sendTime: 0,
            buffer: CopyBuffer(owning: pointer, count: all.count))
    }
}

extension ChangeCollector {
    func receive(_ messages: [StreamMessage]) throws {
        for message in messages { try receive(message.data()) }
    }
}
