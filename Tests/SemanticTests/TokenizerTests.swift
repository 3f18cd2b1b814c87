import Core
import Dialects
import Foreign
import Semantic
import TestKit
import Testing

@Suite struct TokenizerTests {
    /// `Benchmarks/Semantic/tokens.py` wrote the texts and what the `tokenizers` library makes of them.
    @Test func idsAreThoseOfTheReference() throws {
        let tokenizer = try WordPieceTokenizer(folder: Models.miniLM, size: 30522)
        let lines = try Models.fixture("tokens.jsonl")
        #expect(lines.count > 300)
        for line in lines {
            let text = try #require(line["text"]?.text)
            #expect(tokenizer.tokenize(text)?.ids == line["ids"]?.ids, "\(text.debugDescription)")
        }
    }

    @Test func theVocabularyAloneGivesTheSameIds() throws {
        let vocabulary = try #require(try Models.miniLM.open("vocab.txt"))
        var bytes = [UInt8](repeating: 0, count: vocabulary.size)
        try bytes.withUnsafeMutableBytes { try vocabulary.read(at: 0, into: $0) }
        let tokenizer = try WordPieceTokenizer(folder: MemoryModel(["vocab.txt": bytes]), size: 30522)
        for line in try Models.fixture("tokens.jsonl") {
            let text = try #require(line["text"]?.text)
            #expect(tokenizer.tokenize(text)?.ids == line["ids"]?.ids, "\(text.debugDescription)")
        }
    }

    @Test(arguments: [
        ("one two", 4, true), ("one two", 3, false), ("ones", 4, true), ("ones", 3, false), ("", 2, true),
        ("[SEP]", 3, true), ("[SEP]", 2, false),
    ])
    func aTextFitsOrIsNotRead(text: String, limit: Int, fits: Bool) throws {
        let tokenizer = try WordPieceTokenizer(folder: MemoryModel.tiny(seed: 1), size: 12)
        #expect((tokenizer.tokenize(text, limit: limit) != nil) == fits)
    }

    @Test func unknownTokensAreCounted() throws {
        let tokenizer = try WordPieceTokenizer(folder: MemoryModel.tiny(seed: 1), size: 12)
        let tokens = try #require(tokenizer.tokenize("one three twos 你"))
        #expect(tokens.ids == [2, 5, 1, 6, 7, 1, 3])
        #expect(tokens.unknown == 2)
        #expect(tokens.unknownShare == 0.4)
        #expect(try #require(tokenizer.tokenize("")).unknownShare == 0)
    }

    @Test(arguments: [
        (#"{"#, "is not JSON"), (#"{}"#, "is not a WordPiece tokenizer"),
        (#"{"model":{"type":"BPE","vocab":{"a":0}}}"#, "is not a WordPiece tokenizer"),
        (#"{"model":{"type":"Unigram","vocab":[["a",-1.5]]}}"#, "is not a WordPiece tokenizer"),
        (#"{"model":{"vocab":{"a":"b"}}}"#, "id is not a whole number"),
        (#"{"model":{"vocab":{"a":0}}}"#, "has no token [UNK]"),
        (#"{"model":{"vocab":{"[UNK]":0}}}"#, "does not put one token before and one behind"),
        (
            #"{"model":{"vocab":{"[UNK]":0}},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]}}"#,
            "normalises text in another way"
        ),
        (
            #"{"model":{"vocab":{"[UNK]":0}},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]},"#
                + #""normalizer":{"type":"BertNormalizer"}}"#,
            "splits words in another way"
        ),
        (
            #"{"model":{"vocab":{"[UNK]":99}},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]},"#
                + #""normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"}}"#,
            "beyond the vocab_size"
        ),
        (
            #"{"model":{"vocab":{"[UNK]":0}},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]},"#
                + #""normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"#
                + #""added_tokens":[{"id":1,"content":"x","lstrip":true}]}"#,
            "has an added token x with lstrip"
        ),
    ])
    func aTokenizerThatCannotBeRunIsRefused(json: String, reason: String) {
        let fault = #expect(throws: ModelFault.self) {
            try WordPieceTokenizer(folder: MemoryModel(["tokenizer.json": Array(json.utf8)]), size: 12)
        }
        #expect(fault?.description.contains(reason) == true, "\(String(describing: fault))")
    }
}
