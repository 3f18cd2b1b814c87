import Semantic
import Testing

/// Opposites and rewordings in frames that no word list was written for. The shares are what was observed: a change of
/// the guards may better them, and the numbers here follow.
@Suite struct UnseenFramesTests {
    struct Pair: Sendable {
        var kind: String
        var new: String
        var old: String
    }

    /// `kind ¦ frame ¦ a/b, c/d`: each pair of fillers in the frame.
    private static func opposites(_ table: String) -> [Pair] {
        table.split(separator: "\n").flatMap { line -> [Pair] in
            let parts = line.split(separator: " ¦ ").map(String.init)
            guard parts.count == 3 else { return [] }
            return parts[2].split(separator: ", ").compactMap { filler in
                let ends = filler.split(separator: "/").map(String.init)
                guard ends.count == 2 else { return nil }
                return Pair(
                    kind: parts[0], new: parts[1].replacing("_", with: ends[0]),
                    old: parts[1].replacing("_", with: ends[1]))
            }
        }
    }

    /// `kind ¦ frame ¦ other frame ¦ fillers`.
    private static func rewordings(_ table: String) -> [Pair] {
        table.split(separator: "\n").flatMap { line -> [Pair] in
            let parts = line.split(separator: " ¦ ").map(String.init)
            guard parts.count == 4 else { return [] }
            return parts[3].split(separator: ", ").map {
                Pair(
                    kind: parts[0], new: parts[1].replacing("_", with: $0), old: parts[2].replacing("_", with: $0))
            }
        }
    }

    /// Pairs of each kind, and how many of them no guard objects to.
    private static func passed(_ pairs: [Pair]) -> [String: [Int]] {
        var found: [String: [Int]] = [:]
        for pair in pairs {
            let passes = Guards.compare(pair.new, pair.old).objections.isEmpty
            found[pair.kind, default: [0, 0]][0] += 1
            found[pair.kind, default: [0, 0]][1] += passes ? 1 : 0
        }
        return found
    }

    /// Of the opposites, kinds that no guard objects to now and then; of all other kinds none passes.
    @Test func opposites() {
        let english = Self.opposites(Self.english)
        #expect(english.count >= 150)
        #expect(
            Self.missed(english) == ["antonym": 18, "entity": 2, "format": 1, "quantity": 2, "question": 1],
            "\(Self.passed(english))")
        let chinese = Self.opposites(Self.chinese)
        #expect(chinese.count >= 80)
        #expect(
            Self.missed(chinese) == ["antonym": 3, "direction": 1, "entity": 1, "quantity": 2, "question": 1],
            "\(Self.passed(chinese))")
    }

    private static func missed(_ pairs: [Pair]) -> [String: Int] {
        passed(pairs).compactMapValues { $0[1] > 0 ? $0[1] : nil }
    }

    /// None is refused.
    @Test func rewordings() {
        let english = Self.rewordings(Self.englishBenign)
        #expect(english.count >= 150)
        let chinese = Self.rewordings(Self.chineseBenign)
        #expect(chinese.count >= 80)
        for pair in english + chinese {
            #expect(Guards.compare(pair.new, pair.old).objections == [], "\(pair.kind): \(pair.new) | \(pair.old)")
        }
    }

    private static let english = """
        antonym ¦ My plumber says the valve must be _ before winter. Right? ¦ opened/closed, tightened/loosened, drained/filled, raised/lowered, heated/cooled
        antonym ¦ Our landlord wants a clause about _ in the lease ¦ early termination/late termination, short stays/long stays, quiet hours/noisy hours, new tenants/former tenants, cheap repairs/expensive repairs
        antonym ¦ What would make dough _ overnight? ¦ rise/fall, expand/shrink, soften/harden, dry out/stay moist, thicken/thin
        antonym ¦ Draft an apology because the parcel came _ ¦ early/late, wet/dry, open/sealed, full/empty, damaged/intact
        antonym ¦ Is a _ saddle kinder to the horse? ¦ wide/narrow, soft/hard, heavy/light, deep/shallow, loose/tight
        antonym ¦ Which moss likes _ soil? ¦ wet/dry, acidic/alkaline, rich/poor, deep/shallow, warm/cold
        antonym ¦ The union will _ the offer, what follows? ¦ accept/reject, support/oppose, praise/criticize, approve/veto, sign/tear up
        antonym ¦ Our parrot is _, what now? ¦ awake/asleep, tame/wild, calm/anxious, overweight/underweight, noisy/silent
        antonym ¦ The recipe calls for _ yoghurt, is that usual? ¦ sweetened/unsweetened, strained/unstrained, fresh/sour, homemade/shop-bought, plain/flavoured
        antonym ¦ The vet said the goat should be _ from now on ¦ fed/starved, kept in/let out, on a leash/off the leash, with the herd/away from the herd, praised/scolded
        antonym ¦ What makes a choir sing _? ¦ louder/softer, sharp/flat, faster/slower, in tune/out of tune, together/apart
        number ¦ We have _ goats and a barn, how much hay? ¦ a dozen/two dozen, 3.5/5.3, 40/14, one hundred/one thousand, 7/17
        unit ¦ How wide is the gate in _? ¦ feet/metres, inches/centimetres, yards/feet
        number ¦ Cut the rope into _ pieces, how long is each? ¦ 4/6, nine/eight, 12/21, ½/¼, two/three
        number ¦ The _ runner wins a goat ¦ second/third, 1st/4th, fifth/sixth, 10th/11th, first/eighth
        unit ¦ Is 40 _ too much for a beehive? ¦ grams/kilograms, litres/gallons, mW/MW, Mb/MB, minutes/hours
        date ¦ The goat fair on _ needs a poster ¦ Monday/Friday, May 3/June 3, 3pm/3am, Easter/Halloween, the 2nd/the 3rd
        date ¦ Who _ the mayor of the village? ¦ is/was
        negation ¦ List the ferns that _ grow indoors ¦ do/do not, can/cannot, will/will not, should/should not, always/never
        negation ¦ Is the boiler _ in this state? ¦ usable/unusable, legal/illegal, reliable/unreliable, complete/incomplete, visible/invisible
        entity ¦ Does the ferry stop at _? ¦ Guinea/Equatorial Guinea, Mexico/New Mexico, Kansas/Kansas City, York/New York, Sudan/South Sudan
        entity ¦ Where can I get a case for the _? ¦ iPhone 13/iPhone 13 mini, Pixel 7/Pixel 7 Pro, Galaxy S22/Galaxy S22 Ultra, iPad/iPad Air, MacBook Air/MacBook Pro
        entity ¦ Which cheese goes with _? ¦ apples/pears, red wine/white wine, honey/jam, olives/figs, walnuts/almonds
        direction ¦ Bring the goat _ ¦ from the barn to the field/from the field to the barn, to the barn/from the barn, from Leeds to York/from York to Leeds
        direction ¦ In the story _, then what? ¦ the fox chased the hare/the fox was chased by the hare, Ann paid Tom/Ann was paid by Tom, the wolf followed the dog/the dog followed the wolf
        direction ¦ Give the rate for _ please ¦ USD to CHF/CHF to USD, yen into euros/euros into yen
        quantity ¦ Do _ goats climb trees? ¦ all/some, most/few, only young/all young
        quantity ¦ You need _ three stamps for it ¦ at least/at most, more than/fewer than, exactly/at least, no more than/no fewer than
        order ¦ Salt the water _ the pasta goes in ¦ before/after
        question ¦ _ is the goat shorn? ¦ When/Where, Why/When, Who/Why, Is/When
        question ¦ _ did the ferry leave? ¦ When/Why, Where/Why, How long/Why
        rank ¦ Name the _ fjord ¦ longest/second longest, deepest/third deepest, largest/smallest, oldest/newest
        sign ¦ What prints the line echo a _ echo b ¦ ;/&, &&/||, >/>>, |/>
        format ¦ Hand me the goat register as _ ¦ JSON/YAML, a table/a list, an email/a poem, two sentences/two paragraphs
        language ¦ Put the goat song into _ ¦ Danish/Dutch, Hindi/Urdu, Welsh/Irish, Thai/Lao
        code ¦ Why does _ hang? ¦ --watch/--once, /etc/hosts/etc/passwd, a_b/a_c, getUser/setUser, x.py/y.py
        """

    private static let chinese = """
        antonym ¦ 师傅说阀门入冬前要_，对吗 ¦ 打开/关闭, 拧紧/拧松, 升高/降低, 加热/冷却
        antonym ¦ 这匹马的鞍子太_了怎么改 ¦ 宽/窄, 厚/薄, 重/轻, 长/短
        antonym ¦ 房东想在合同里加_条款 ¦ 收费/免费, 临时/永久, 公开/保密, 强制/自愿
        antonym ¦ 工会要是_这个方案会怎样 ¦ 接受/拒绝, 支持/反对, 批准/驳回, 表扬/批评
        antonym ¦ 鹦鹉最近很_怎么办 ¦ 胖/瘦, 吵/安静, 勤奋/懒惰, 勇敢/胆小
        number ¦ 绳子剪成_段每段多长 ¦ 4/6, 三/五, 12/21, 两/四
        number ¦ 第_名能得到一只羊吗 ¦ 二/三, 1/4, 五/六, 十/十一
        unit ¦ 蜂箱里放40_会不会太多 ¦ 克/千克, 升/加仑, 分钟/小时, 米/英尺
        date ¦ 羊市_开，帮我写海报 ¦ 周一/周五, 五月三日/六月三日, 明天/后天, 上午/下午
        negation ¦ 列出_在室内长的蕨类 ¦ 能/不能, 会/不会, 适合/不适合, 可以/不可以
        entity ¦ 渡轮在_停吗 ¦ 几内亚/赤道几内亚, 苏丹/南苏丹, 上海/青岛, 湖南/湖北
        entity ¦ 哪种奶酪配_ ¦ 苹果/香蕉, 蜂蜜/果酱, 牛肉/鸡肉, 核桃/杏仁
        direction ¦ 故事里_，后来呢 ¦ 小明把小红打了/小明被小红打了, 狐狸追兔子/兔子追狐狸, 张三骗了李四/张三被李四骗了
        direction ¦ 请给_的汇率 ¦ 美元兑日元/日元兑美元, 英镑换欧元/欧元换英镑
        antonym ¦ 合唱团怎么唱得更_ ¦ 响/轻, 快/慢, 高/低, 整齐/散乱
        quantity ¦ _羊会爬树吗 ¦ 所有/有些, 全部/部分
        quantity ¦ 寄它_要三张邮票 ¦ 至少/至多, 最多/最少
        order ¦ 下面条_放盐 ¦ 之前/之后, 以前/以后
        question ¦ 羊_剪毛 ¦ 什么时候/为什么, 在哪里/什么时候, 多久/为什么
        question ¦ 渡轮_走的 ¦ 几点/为什么, 从哪里/什么时候
        rank ¦ 说出_的峡湾 ¦ 最长/第二长, 最深/第三深, 最大/最小, 最高/最低
        format ¦ 把羊的名册用_给我 ¦ JSON/YAML, 表格/列表, 邮件/诗歌
        language ¦ 把牧歌译成_ ¦ 丹麦语/荷兰语, 泰语/越南语, 法语/德语
        code ¦ 为什么_卡住了 ¦ --watch/--once, a_b/a_c, getUser/setUser
        """

    private static let englishBenign = """
        courtesy ¦ How do I shear _? ¦ Hi, could you please tell me how to shear _? ¦ a goat, an alpaca, a sheep, a llama, a ram
        courtesy ¦ What does _ cost ¦ Quick question: what does _ cost? Thanks! ¦ a beehive, a saddle, a boiler, a kayak, a harp
        courtesy ¦ Where can I store _? ¦ where can i store _ please ¦ honey, hay, firewood, skis, paint
        contraction ¦ What's the use of _? ¦ What is the use of _? ¦ moss, a flywheel, borax, a monocle, lard
        contraction ¦ Why doesn't my _ start? ¦ Why does my _ not start? ¦ mower, boiler, kiln, tractor, blender
        aux ¦ How do I clean _? ¦ How can I clean _? ¦ a flute, suede, a kettle, slate, a chimney
        aux ¦ How should I store _? ¦ How do I store _? ¦ kimchi, yeast, tulip bulbs, film rolls, cigars
        synonym ¦ How do I fix _? ¦ How can I repair _? ¦ a zip, a sundial, a squeaky door, a leaky hose, a loom
        synonym ¦ What is the price of _? ¦ What is the cost of _? ¦ a loom, slate tiles, an oboe, felt, a canoe
        synonym ¦ Where do I buy _? ¦ Where can I purchase _? ¦ resin, tallow, goat feed, a sextant, reeds
        synonym ¦ Suggest a name for _ ¦ Recommend a name for _ ¦ my goat, a tea shop, a sloop, our band, a choir
        order ¦ In knitting, what is _? ¦ What is _ in knitting? ¦ a purl, a gauge, a cable, a selvedge, steeking
        order ¦ What is the difference between oak and _? ¦ What is the difference between _ and oak? ¦ ash, elm, beech, birch, pine
        number ¦ Give me three uses of _ ¦ Give me 3 uses of _ ¦ lye, beeswax, nettles, sawdust, whey
        number ¦ Who won the 1st prize for _? ¦ Who won the first prize for _? ¦ leeks, marmalade, dahlias, pigeons, cider
        time ¦ Remind me at 3pm to feed _ ¦ Remind me at 15:00 to feed _ ¦ the goats, the ducks, the starter, the koi, the bees
        unit ¦ Is 60 minutes enough to bake _? ¦ Is 1 hour enough to bake _? ¦ bread, a ham, a flan, ribs, beets
        case ¦ what is the history of _ ¦ What is the history of _? ¦ whaling, the harp, felt, masonry, glass
        case ¦ WHAT IS THE SHAPE OF _ ¦ what is the shape of _ ¦ a lute, a fjord, a dune, a drumlin, a keel
        typo ¦ How do I remove varnish from _? ¦ How do I remove varnsh from _? ¦ a desk, a door, an easel, a boat, a chest
        question ¦ Can I paint _? ¦ How can I paint _? ¦ slate, felt, a kayak, a drum, tin
        question ¦ What is the way to plant _? ¦ How do I plant _? ¦ leeks, ferns, garlic, heather, a hedge
        question ¦ Which is the best wood for _? ¦ What is the best wood for _? ¦ a bow, a lute, decking, a ladle, skis
        phrasal ¦ Turn off the alarm on _ ¦ Turn the alarm off on _ ¦ the barn, the kiln, the boat, the shed, the van
        phrasal ¦ How do I turn on the light in _? ¦ How do I switch on the light in _? ¦ the barn, the loft, the cellar, the hull, the shed
        article ¦ Write a poem about a _ ¦ Write a poem about the _ ¦ ferry, goat, loom, lute, fjord
        imperative ¦ Tell me how tides shape _ ¦ Explain how tides shape _ ¦ dunes, reefs, estuaries, spits, cliffs
        polite ¦ I would like to know why _ floats ¦ Why does _ float? ¦ cork, ice, pumice, a duck, wood
        plural ¦ What do _ eat? ¦ what do _ eat?? ¦ newts, moles, herons, bees, goats
        preposition ¦ A recipe for a stew of _ ¦ recipe for stew with _ ¦ lamb, lentils, leeks, barley, eel
        """

    private static let chineseBenign = """
        courtesy ¦ 怎么给_剪毛 ¦ 您好，请问怎么给_剪毛？谢谢 ¦ 羊, 羊驼, 兔子, 狗
        courtesy ¦ _要多少钱 ¦ 麻烦问一下，_要多少钱呢？ ¦ 蜂箱, 马鞍, 锅炉, 竖琴
        courtesy ¦ _放在哪里保存 ¦ 想问一下_放在哪里保存啊 ¦ 蜂蜜, 干草, 柴火, 油漆
        how ¦ 怎么清洗_ ¦ 如何清洗_ ¦ 长笛, 水壶, 烟囱, 石板
        how ¦ 怎样种_ ¦ 怎么种_ ¦ 大蒜, 蕨类, 韭葱, 石楠
        synonym ¦ 怎么修_ ¦ 怎么修理_ ¦ 拉链, 日晷, 织机, 水管
        synonym ¦ 哪里能买_ ¦ 哪里可以购买_ ¦ 树脂, 羊饲料, 六分仪, 芦苇
        synonym ¦ 推荐一个_的名字 ¦ 建议一个_的名字 ¦ 山羊, 茶馆, 乐队, 合唱团
        particle ¦ _会浮起来吗 ¦ _会不会浮起来 ¦ 软木, 浮石, 冰, 木头
        particle ¦ 有什么好的_没 ¦ 有什么好的_吗 ¦ 织机, 竖琴, 马鞍, 帆船
        particle ¦ _是什么 ¦ _是什么啊 ¦ 峡湾, 沙丘, 浮石, 六分仪
        number ¦ 说出_的三种用途 ¦ 说出_的3种用途 ¦ 蜂蜡, 荨麻, 木屑, 乳清
        number ¦ _的第一个步骤 ¦ _的第1个步骤 ¦ 酿酒, 剪毛, 织布, 造船
        order ¦ 橡木和_有什么区别 ¦ _和橡木有什么区别 ¦ 榆木, 桦木, 松木, 白蜡木
        difference ¦ _和芦笛有什么不同 ¦ _和芦笛有什么区别 ¦ 长笛, 双簧管, 竖琴, 鼓
        why ¦ 为什么_会响 ¦ 为何_会响 ¦ 门, 水管, 烟囱, 风箱
        why ¦ _怎么这么贵 ¦ _为什么这么贵 ¦ 藏红花, 竖琴, 羊绒, 蜂王浆
        form ¦ 把_写成诗 ¦ 请把_写成诗 ¦ 渡轮, 山羊, 织机, 峡湾
        blank ¦ 用 _ 做汤 ¦ 用_做汤 ¦ 羊肉, 扁豆, 大麦, 鳗鱼
        punctuation ¦ _的历史 ¦ _的历史？ ¦ 捕鲸, 毛毡, 石工, 玻璃
        """
}
