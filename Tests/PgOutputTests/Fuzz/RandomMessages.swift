import PgOutput

/// Valid messages, chosen at random, with a liking for the limits.
extension SeededGenerator {
    mutating func message(of type: MessageType) -> PgOutputMessage {
        switch type {
        case .begin: .begin(Begin(finalLSN: lsn(), commitTimestamp: integer(), xid: integer()))
        case .commit: .commit(Commit(commitLSN: lsn(), endLSN: lsn(), commitTimestamp: integer()))
        case .origin: .origin(Origin(commitLSN: lsn(), name: string()))
        case .relation: .relation(relation())
        case .type: .type(TypeMessage(typeID: integer(), namespace: string(), name: string()))
        case .insert: .insert(Insert(relationID: integer(), new: tuple()))
        case .update: .update(Update(relationID: integer(), old: chance(2) ? old() : nil, new: tuple()))
        case .delete: .delete(Delete(relationID: integer(), old: old()))
        case .truncate:
            .truncate(
                Truncate(relationIDs: list { $0.integer() }, cascade: chance(2), restartIdentity: chance(2)))
        case .message:
            .message(LogicalMessage(isTransactional: chance(2), lsn: lsn(), prefix: string(), content: bytes()))
        }
    }

    /// True once in so many times.
    mutating func chance(_ times: Int) -> Bool {
        Int.random(in: 0..<times, using: &self) == 0
    }

    mutating func bytes() -> [UInt8] {
        list { $0.integer() }
    }

    mutating func integer<Integer: FixedWidthInteger>() -> Integer {
        switch Int.random(in: 0..<6, using: &self) {
        case 0: 0
        case 1: .max
        case 2: .min
        case 3: Integer(truncatingIfNeeded: Int.random(in: -4...4, using: &self))
        default: .random(in: .min ... .max, using: &self)
        }
    }

    private mutating func list<Element>(_ make: (inout Self) -> Element) -> [Element] {
        let longest = chance(50) ? 300 : 6
        return (0..<Int.random(in: 0...longest, using: &self)).map { _ in make(&self) }
    }

    private mutating func lsn() -> LSN {
        LSN(rawValue: integer())
    }

    /// Any text but the zero character, which the protocol cannot carry.
    private mutating func string() -> String {
        let alphabet: [Character] = ["a", "Z", "0", "_", " ", "\"", "\n", "ü", "漢", "👩‍👩‍👧", "\u{10FFFF}", "\u{1}"]
        return String(list { $0.element(of: alphabet) })
    }

    private mutating func element<Element>(of choices: [Element]) -> Element {
        choices[Int.random(in: choices.indices, using: &self)]
    }

    private mutating func relation() -> Relation {
        Relation(
            relationID: integer(), namespace: string(), name: string(),
            replicaIdentity: element(of: ReplicaIdentity.allCases),
            columns: list {
                Relation.Column(
                    isKey: $0.chance(2), name: $0.string(), typeID: $0.integer(), typeModifier: $0.integer())
            })
    }

    private mutating func tuple() -> Tuple {
        Tuple(
            list {
                switch Int.random(in: 0..<4, using: &$0) {
                case 0: .null
                case 1: .unchangedToast
                case 2: .text($0.bytes())
                default: .binary($0.bytes())
                }
            })
    }

    private mutating func old() -> OldTuple {
        chance(2) ? .key(tuple()) : .full(tuple())
    }
}
