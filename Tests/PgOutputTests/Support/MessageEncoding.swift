import PgOutput

extension PgOutputMessage {
    /// The message as the server would send it.
    ///
    /// No `default`: within the package the compiler insists on every case, so a new message cannot go untested.
    var encoded: [UInt8] {
        var wire = WireEncoder()
        wire.put(messageType.rawValue)
        switch self {
        case .begin(let begin):
            wire.put(begin.finalLSN)
            wire.put(begin.commitTimestamp)
            wire.put(begin.xid)
        case .commit(let commit):
            wire.put(commit.flags)
            wire.put(commit.commitLSN)
            wire.put(commit.endLSN)
            wire.put(commit.commitTimestamp)
        case .origin(let origin):
            wire.put(origin.commitLSN)
            wire.put(origin.name)
        case .relation(let relation): wire.put(relation)
        case .type(let type):
            wire.put(type.typeID)
            wire.put(type.namespace)
            wire.put(type.name)
        case .insert(let insert):
            wire.put(insert.relationID)
            wire.put("N" as Character)
            wire.put(insert.new)
        case .update(let update):
            wire.put(update.relationID)
            if let old = update.old { wire.put(old) }
            wire.put("N" as Character)
            wire.put(update.new)
        case .delete(let delete):
            wire.put(delete.relationID)
            wire.put(delete.old)
        case .truncate(let truncate):
            wire.put(Int32(truncate.relationIDs.count))
            wire.put(UInt8((truncate.cascade ? 1 : 0) + (truncate.restartIdentity ? 2 : 0)))
            for relationID in truncate.relationIDs { wire.put(relationID) }
        case .message(let message):
            wire.put(UInt8(message.isTransactional ? 1 : 0))
            wire.put(message.lsn)
            wire.put(message.prefix)
            wire.put(counted: message.content)
        }
        return wire.bytes
    }
}

extension WireEncoder {
    fileprivate mutating func put(_ relation: Relation) {
        put(relation.relationID)
        put(relation.namespace)
        put(relation.name)
        put(relation.replicaIdentity.rawValue)
        put(Int16(relation.columns.count))
        for column in relation.columns {
            put(UInt8(column.isKey ? 1 : 0))
            put(column.name)
            put(column.typeID)
            put(column.typeModifier)
        }
    }
}
