import Semantic
import Testing

/// Two questions that share their words and differ in a sign, a mark, a little word or a part of a name: a line a pair,
/// the guard first.
@Suite struct DetailPairsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var guardian: Guard
        var new: String
        var old: String
        var testDescription: String { "\(guardian.rawValue): \(new) | \(old)" }
    }

    private static func rows(_ table: String) -> [Row] {
        table.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ¦ ").map(String.init)
            guard parts.count == 3, let guardian = Guard(rawValue: parts[0]) else { return nil }
            return Row(guardian: guardian, new: parts[1], old: parts[2])
        }
    }

    @Test func everyLineIsAPair() {
        #expect(Self.rows(Self.different).count == Self.different.split(separator: "\n").count)
        #expect(Self.rows(Self.same).count == Self.same.split(separator: "\n").count)
    }

    @Test(arguments: rows(different)) func anotherDetailIsRefused(_ row: Row) {
        for report in [Guards.compare(row.new, row.old), Guards.compare(row.old, row.new)] {
            #expect(report.objections.contains { $0.guardian == row.guardian }, "\(report.objections)")
        }
    }

    /// The guard named is the one that must not object.
    @Test(arguments: rows(same)) func anotherWayToWriteItPasses(_ row: Row) {
        #expect(Guards.compare(row.new, row.old).objections == [])
        #expect(Guards.compare(row.old, row.new).objections == [])
    }

    private static let different = #"""
        number ¦ add ½ cup of sugar ¦ add ¼ cup of sugar
        number ¦ what is ⅓ of 90 ¦ what is ½ of 90
        number ¦ 1½ cups of flour in grams ¦ 1¼ cups of flour in grams
        unit ¦ how long to download 100 Mb ¦ how long to download 100 MB
        number ¦ is 100 Mbit fast ¦ is 100 MB fast
        unit ¦ 5 mg of iron ¦ 5 Mg of iron
        unit ¦ convert 5 mW to watts ¦ convert 5 MW to watts
        code ¦ what is at https://a.com/x?id=1 ¦ what is at https://a.com/x?id=2
        number ¦ summarise example.com/page?id=1 ¦ summarise example.com/page?id=2
        code ¦ summarise www.foo.org ¦ summarise www.bar.org
        code ¦ who is bob@example.com ¦ who is rob@example.com
        code ¦ what is in /etc/passwd ¦ what is in /etc/shadow
        code ¦ open ~/notes/a.txt ¦ open ~/notes/b.txt
        code ¦ what does cmd1 ; cmd2 do ¦ what does cmd1 & cmd2 do
        code ¦ what does make && make install do ¦ what does make ; make install do
        code ¦ what does make && make install do ¦ what does make & make install do
        code ¦ what does sleep 10 & do ¦ what does sleep 10 do
        code ¦ what does ls > out do ¦ what does ls >> out do
        code ¦ what does a | b do in bash ¦ what does a > b do in bash
        code ¦ what does foo:bar mean ¦ what does foo(bar mean
        entity ¦ iPhone 12 battery life ¦ iPhone 12 Pro battery life
        entity ¦ iphone 12 price ¦ iphone 12 pro max price
        entity ¦ How much is the MacBook Air? ¦ How much is the MacBook Pro?
        entity ¦ galaxy s21 screen size ¦ galaxy s21 ultra screen size
        entity ¦ GPT-4 context window ¦ GPT-4o context window
        entity ¦ RTX 3060 benchmarks ¦ RTX 3060 Ti benchmarks
        entity ¦ Population of Congo ¦ Population of the Republic of Congo
        entity ¦ capital of Guinea ¦ capital of Guinea-Bissau
        entity ¦ capital of Guinea ¦ capital of Equatorial Guinea
        entity ¦ is North Korea safe ¦ is Korea safe
        entity ¦ weather in Mexico ¦ weather in New Mexico
        entity ¦ weather in York ¦ weather in New York
        entity ¦ hotels in Kansas ¦ hotels in Kansas City
        entity ¦ How do I say polish in French? ¦ How do I say Polish in French?
        entity ¦ Where is china made? ¦ Where is China made?
        entity ¦ Do people eat turkey at Christmas? ¦ Do people eat Turkey at Christmas?
        direction ¦ Did John hit Bill? ¦ Was John hit by Bill?
        direction ¦ John hit Bill ¦ John was hit by Bill
        direction ¦ Who beat Brazil? ¦ Who was beaten by Brazil?
        direction ¦ 小明把小红打了 ¦ 小明被小红打了
        direction ¦ 张三打了李四 ¦ 张三被李四打了
        direction ¦ convert c to f ¦ convert f to c
        direction ¦ °C to °F ¦ °F to °C
        direction ¦ celsius into fahrenheit ¦ fahrenheit into celsius
        direction ¦ celsius in fahrenheit ¦ fahrenheit in celsius
        number ¦ what is 20C in F ¦ what is 20F in C
        direction ¦ 5 km in miles ¦ 5 miles in km
        direction ¦ USD to EUR ¦ EUR to USD
        direction ¦ USD/EUR rate ¦ EUR/USD rate
        direction ¦ JSON to YAML ¦ YAML to JSON
        direction ¦ 人民币兑美元 ¦ 美元兑人民币
        question ¦ Is the rent due? ¦ When is the rent due?
        question ¦ is it due? ¦ when is it due?
        question ¦ Who is the manager? ¦ Where is the manager?
        question ¦ Why does bread rise? ¦ Does bread rise?
        question ¦ Why do cats purr? ¦ When do cats purr?
        question ¦ 谁发明了电话 ¦ 什么时候发明了电话
        question ¦ 水什么时候开 ¦ 水为什么开
        question ¦ 会议在哪里开 ¦ 会议什么时候开
        question ¦ He left. ¦ He left?
        date ¦ Who is the president of Chile? ¦ Who was the president of Chile?
        code ¦ was bedeutet schön ¦ was bedeutet schon
        code ¦ mi papá come ¦ mi papa come
        code ¦ what does 👍 mean ¦ what does 👎 mean
        code ¦ which country has the flag 🇩🇪 ¦ which country has the flag 🇫🇷
        date ¦ at 3pm ¦ at 3am
        number ¦ 2nd place ¦ 3rd place
        number ¦ largest city in Spain ¦ second largest city in Spain
        number ¦ the second longest river ¦ the longest river
        number ¦ 世界最大的湖 ¦ 世界第二大的湖
        number ¦ 中国第二大城市 ¦ 中国最大城市
        antonym ¦ best phone ¦ worst phone
        antonym ¦ all cats are grey, right ¦ some cats are grey, right
        antonym ¦ at least 5 characters ¦ at most 5 characters
        antonym ¦ eat before training ¦ eat after training
        antonym ¦ more than 5 people ¦ less than 5 people
        antonym ¦ only members can vote ¦ members can vote
        antonym ¦ 至少三天 ¦ 至多三天
        antonym ¦ 18岁以上 ¦ 18岁以下
        antonym ¦ 吃饭之前 ¦ 吃饭之后
        antonym ¦ Turn dark mode off in macOS ¦ How do I enable dark mode on macOS?
        """#

    private static let same = #"""
        direction ¦ What is the difference between a crow and a raven? ¦ What is the difference between a raven and a crow?
        direction ¦ How many miles is 5 km? ¦ What is 5 km in miles?
        direction ¦ Which books were written by Tolkien? ¦ Which books did Tolkien write?
        direction ¦ 初二地理生物难吗 ¦ 初二生物地理难吗
        question ¦ How do I change my password? ¦ How can I change my password?
        question ¦ Can I change my password? ¦ How can I change my password?
        question ¦ What is the date of birth of Ada Lovelace? ¦ When was Ada Lovelace born?
        question ¦ Is this a good city to live in? Why? ¦ Is this a good city to live in?
        question ¦ 为什么手机很卡 ¦ 手机怎么很卡
        code ¦ 5 plus 50 = ? ¦ what is 5 + 50?
        code ¦ 15加21=？ ¦ 15加21等于多少
        code ¦ 120 的 9 %等于多少？ ¦ 120的9%等于多少？
        code ¦ List the main characters of Emma ¦ Name the main characters of Emma??
        code ¦ Write a cover letter for a guide ¦ Compose a cover letter for a guide
        code ¦ Say more about R & D ¦ say more about R&D
        negation ¦ Can I travel to Peru without a visa? ¦ Is a visa required for Peru?
        negation ¦ 有什么好的英语学习网站没 ¦ 有什么好的英语学习网站吗
        antonym ¦ Turn parental controls off under Debian ¦ How can I disable parental controls on Debian?
        unit ¦ Is 100mb enough? ¦ Is 100 MB enough?
        number ¦ the 1st prize ¦ the first prize
        date ¦ at 3pm ¦ at 15:00
        entity ¦ what is the capital of turkey ¦ What is the capital of Turkey?
        entity ¦ my password is lost ¦ a password is lost
        entity ¦ Review my new router in a positive way ¦ write a positive review of my router
        """#
}
