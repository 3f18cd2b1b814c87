/// Countries, cities and regions.
enum Places {
    static let all: [ContrastList] = []
}
