import Testing

@testable import ShadowAlter

@Suite struct CopyAgendaTests {
    private func file(_ number: UInt32, _ pages: Int64) -> SourceFile { SourceFile(filenode: number, pages: pages) }

    /// Tables with so many pages each, in files that are numbered from 1.
    private func agenda(_ pages: [Int64]) -> CopyAgenda {
        var agenda = CopyAgenda(tables: pages.count)
        for (index, pages) in pages.enumerated() {
            agenda.open(index, file(UInt32(index + 1), pages), ChunkQueue(pages: pages))
        }
        return agenda
    }

    private func take(_ agenda: inout CopyAgenda, sizes: [Int64] = [2, 2, 2]) -> CopyAgenda.Chunk? {
        if case .chunk(let chunk) = agenda.next(sizes: sizes) { chunk } else { nil }
    }

    @Test func theNextTableBeginsWhileTheLastChunkOfTheOneBeforeIsBeingCopied() throws {
        var agenda = agenda([3, 0, 2])
        let chunks = [take(&agenda), take(&agenda), take(&agenda)]
        #expect(chunks.map { $0?.table } == [0, 0, 2])
        #expect(chunks.map { $0?.pages } == [0..<2, 2..<3, 0..<2])
        #expect(!agenda.hasChunks)
    }

    /// A mutating call has no place in a macro.
    private func next(_ agenda: inout CopyAgenda) -> CopyAgenda.Next { agenda.next(sizes: [2, 2, 2]) }

    private func restarts(_ agenda: inout CopyAgenda, _ chunk: CopyAgenda.Chunk) -> Bool {
        agenda.isFirstToRestart(chunk)
    }

    @Test func everyTableHasChunksOfItsOwnSize() {
        var agenda = agenda([5, 5, 0])
        #expect(take(&agenda, sizes: [5, 1, 1])?.pages == 0..<5)
        #expect(take(&agenda, sizes: [5, 1, 1])?.pages == 0..<1)
    }

    @Test func lanesStayUntilTheLastChunkHasEnded() throws {
        var agenda = agenda([2, 2, 0])
        let first = try #require(take(&agenda))
        let second = try #require(take(&agenda))
        #expect(next(&agenda) == .wait)
        agenda.end(second)
        #expect(next(&agenda) == .wait)
        agenda.end(first)
        #expect(next(&agenda) == .finished)
    }

    @Test func aTableWithoutChunksEndsAtOnce() {
        var agenda = agenda([0, 0])
        #expect(!agenda.hasChunks)
        #expect(next(&agenda) == .finished)
    }

    @Test func onlyTheRewrittenTableStartsAnewAndOnlyOnce() throws {
        var agenda = agenda([4, 4, 0])
        let first = try #require(take(&agenda))
        let second = try #require(take(&agenda))
        #expect(restarts(&agenda, first))
        #expect(!restarts(&agenda, second), "another lane is at it")
        #expect(take(&agenda)?.table == 1, "the other table goes on")
        agenda.end(second)
        agenda.open(0, file(9, 6), ChunkQueue(pages: 6))
        #expect(!restarts(&agenda, second), "it was for the old file")
        let anew = try #require(take(&agenda))
        #expect(anew.table == 0 && anew.file.filenode == 9 && anew.pages == 0..<2)
    }

    @Test func nobodyEndsWhileAListIsBeingMade() {
        var agenda = CopyAgenda(tables: 1)
        #expect(next(&agenda) == .wait)
        #expect(!agenda.hasChunks)
    }
}
