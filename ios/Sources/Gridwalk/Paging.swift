import GridwalkCore

/// The rows of a list that is read in pages by key: the next page is fetched when the last row was taken. Rows that come
/// or go meanwhile are neither skipped nor told twice. Each iteration begins anew.
public struct Rows<Row: Sendable>: AsyncSequence, Sendable {
    public typealias Element = Row

    /// How many rows are fetched at a time where nobody says otherwise.
    public static var page: UInt32 { 200 }

    private let read: @Sendable (_ after: String?) async throws -> (rows: [Row], next: String?)

    /// - Parameter read: Reads the page after a key (the first one for nil); with the key for the next page, nil at the end.
    public init(read: @escaping @Sendable (_ after: String?) async throws -> (rows: [Row], next: String?)) {
        self.read = read
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(read: read)
    }

    /// One iteration.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable (_ after: String?) async throws -> (rows: [Row], next: String?)
        private var rows = ArraySlice<Row>()
        private var after: String?
        private var atEnd = false

        fileprivate init(read: @escaping @Sendable (_ after: String?) async throws -> (rows: [Row], next: String?)) {
            self.read = read
        }

        public mutating func next() async throws -> Row? {
            while rows.isEmpty {
                if atEnd { return nil }
                try Task.checkCancellation()
                let page = try await read(after)
                (rows, after, atEnd) = (page.rows[...], page.next, page.next == nil)
            }
            return rows.popFirst()
        }
    }
}

extension Device {
    /// All records of a kind, in the order of the kind.
    public func allRecords(kind: String, page: UInt32 = Rows<RecordEntry>.page) -> Rows<RecordEntry> {
        Rows { after in
            let read = try await self.records(kind: kind, after: after, limit: page)
            return (read.entries, read.next)
        }
    }

    /// All dwellings, by building and door.
    public func allDwellings(page: UInt32 = Rows<DwellingEntry>.page) -> Rows<DwellingEntry> {
        Rows { after in
            let read = try await self.listDwellings(after: after, limit: page)
            return (read.entries, read.next)
        }
    }

    /// All residents, by name.
    public func allResidents(page: UInt32 = Rows<ResidentEntry>.page) -> Rows<ResidentEntry> {
        Rows { after in
            let read = try await self.listResidents(after: after, limit: page)
            return (read.entries, read.next)
        }
    }

    /// Everything that a search finds, best first; no kinds means all.
    public func everythingFound(
        _ text: String,
        kinds: [String] = [],
        page: UInt32 = Rows<FoundRecord>.page
    ) -> Rows<FoundRecord> {
        Rows { after in
            let read = try await self.search(text: text, kinds: kinds, after: after, limit: page)
            return (read.found, read.next)
        }
    }
}
