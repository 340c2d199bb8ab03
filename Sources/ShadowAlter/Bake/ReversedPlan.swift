import PgConnection

extension TablePlan {
    /// The plan by which the old table follows the new one after the exchange: the source is the new table under the name that it has taken
    /// over, and in green's place is the old table. Only for refreshing: it builds nothing. Pure.
    ///
    /// - Parameters:
    ///   - blueSchema: the schema that the old table is in.
    ///   - liveOID: the new table's.
    /// - Throws: where there is no way back.
    func reversed(blueSchema: String, liveOID: UInt32 = 0) throws -> TablePlan {
        guard inverse.isPossible else {
            throw MigrationError(
                .conflict, "the old \(source) cannot follow the new one: \(inverse.obstacles.joined(separator: "; "))",
                state: "nothing was changed; the new table is live",
                advice: "what --reverse could have told has to be told when the migration is planned")
        }
        var plan = self
        plan.source = QualifiedName(schema: source.schema, name: green.name)
        plan.sourceOID = liveOID
        plan.green = QualifiedName(schema: blueSchema, name: source.name)
        plan.columns = inverse.sourceNames.enumerated().map { index, name in
            let old = columns.first { $0.greenName == name }
            return ColumnPlan(
                number: index + 1, name: name, greenName: old?.name, hasNewType: old?.hasNewType ?? false,
                type: old?.greenType ?? "", greenType: old?.type)
        }
        plan.mapping = RowMapping(
            alias: green.name, sourceNames: inverse.sourceNames,
            columns: inverse.columns.compactMap { column in
                guard case .expression(let expression) = column.source else { return nil }
                return RowMapping.Column(
                    green: column.name, expression: inverse.strictExpression(of: column.name) ?? expression)
            },
            kept: inverse.kept.isEmpty ? nil : inverse.kept)
        plan.key = inverse.key
        plan.publishesWholeRows = inverse.publishesWholeRows
        plan.indexes = []
        plan.afterIndexes = []
        plan.sequences = exchange.reversedSequences(blueSchema: blueSchema)
        plan.partitions = []
        plan.replacesRows = plan.mapping.kept != nil
        plan.uncompared = inverse.uncompared
        plan.inverse = InverseMapping(columns: [], obstacles: ["this is the way back"])
        // What the exchange has made goes with the exchange back, and what went with it is gone.
        plan.compat = compat.filter { !$0.goesWithExchange }.map { shape in
            var shape = shape
            shape.goesWithExchange = true
            return shape
        }
        return plan
    }
}

extension ParentPlan {
    /// The same of a partitioned table, which has no rows of its own.
    ///
    /// - Parameter columns: of one of its partitions, on the way back.
    func reversed(blueSchema: String, liveOID: UInt32, columns: [ColumnPlan]) -> ParentPlan {
        var plan = self
        plan.source = exchange.live
        plan.sourceOID = liveOID
        plan.green = QualifiedName(schema: blueSchema, name: source.name)
        plan.columns = columns
        plan.sequences = exchange.reversedSequences(blueSchema: blueSchema)
        return plan
    }
}

extension Exchange {
    fileprivate func reversedSequences(blueSchema: String) -> [SequencePlan] {
        sequences.compactMap { sequence in
            switch sequence {
            case .serial(let name, let column?):
                columns.first { $0.greenName == column }.map { .serial(sequence: name, greenColumn: $0.name) }
            // It has gone with the old table.
            case .serial(_, nil): nil
            case .identity(let old, let new):
                .identity(
                    source: QualifiedName(schema: source.schema, name: new.name),
                    green: QualifiedName(schema: blueSchema, name: old.name))
            }
        }
    }
}

extension InverseMapping {
    /// What makes a key column's value where another key of the new table could otherwise come out as the same one: NULL, which no key takes, for a
    /// value that has no counterpart. nil where the assignment fails by itself for such a value, with a better message.
    fileprivate func strictExpression(of column: String) -> String? {
        guard let key = key.first(where: { $0.green == column }) else { return nil }
        let isPlain = columns.contains {
            $0.name == column && $0.source == .expression(Quoting.identifier(key.source))
        }
        let failsByItself =
            isPlain && (key.sourceType == key.greenType || IntegerType.areBoth(key.sourceType, key.greenType))
        return failsByItself ? nil : key.expression
    }
}

extension TableRecord {
    /// The same table with the way back for a plan.
    func reversed(blueSchema: String) throws -> TableRecord {
        TableRecord(
            id: id, plan: try plan.reversed(blueSchema: blueSchema, liveOID: greenOID), greenOID: plan.sourceOID,
            file: nil)
    }
}
