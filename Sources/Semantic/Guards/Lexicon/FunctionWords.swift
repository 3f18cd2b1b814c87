/// Words that say nothing about what is asked, and words that deny it.
enum FunctionWords {
    static let english = """
        a, an, the, this, that, these, those, it, its, they, them, their, there, here, i, me, my, mine, we, us, our, you, your
        he, she, his, her, him, who, whom, whose, what, which, how, when, where, why, whether, if, is, are, was, were, be, been
        being, am, do, does, did, done, doing, have, has, had, having, can, could, will, would, shall, should, may, might, must
        ca, wo, ai, of, to, in, on, at, by, for, with, from, as, about, into, onto, and, or, but, so, than, then, too, also
        just, really, actually, exactly, please, kindly, some, any, such, own, other, very, quite, get, got, let, want, need
        like, would like, tell, give, show, know, see, think, say, there is, there are, one, ones, way, ways, thing, things
        possible, able, okay, ok, well, now, ever, still, even, up, out, over, such as, much, many, lot, lots, each, every, all
        both, go, going, make, made, makes, use, used, using, best, good, etc, e.g, i.e, eg, ie, via, per
        """

    static let chinese = """
        的, 地, 得, 了, 着, 过, 是, 在, 有, 和, 与, 及, 以及, 跟, 或, 或者, 还是, 吗, 呢, 吧, 啊, 呀, 嘛, 么, 哦, 哈, 呗, 咯, 这, 那, 这个, 那个
        这些, 那些, 我, 我的, 我们, 你, 你的, 您, 你们, 他, 她, 它, 他们, 自己, 人家, 什么, 甚么, 啥, 怎么, 怎样, 怎么样, 怎么办, 如何, 几月几号, 几月几日, 哪一天, 哪天, 几号, 几点, 几月, 几点钟
        哪, 哪个, 哪些, 哪里, 哪儿, 那里, 谁, 为什么, 为何, 为啥, 何时, 什么时候, 多少, 几, 能, 可以, 能够, 可, 会, 要, 想, 想要, 需要, 应该, 应, 该, 得
        把, 被, 将, 对, 对于, 关于, 给, 让, 使, 用, 以, 从, 到, 去, 来, 就, 都, 也, 还, 又, 再, 才, 很, 真, 太, 更, 最, 请, 之, 其, 中, 里, 里面
        一下, 一些, 有些, 有没有, 是不是, 能不能, 可不可以, 会不会, 要不要, 是否, 能否, 可否, 一般, 一直, 怎, 么, 做, 弄, 搞, 个, 种, 某, 所, 于
        时候, 时, 情况, 情况下, 方法, 办法, 方式, 问题, 介绍, 说说, 讲讲, 谈谈, 列举, 列出, 告诉, 告诉我, 知道, 进行, 一个, 一种, 呐, 等, 等等, 这样, 那样, 哪种
        """

    /// Said to be polite or to start with; a question is the same without them.
    static let courtesies = """
        please, kindly, thanks, thank you, thanks a lot, thank you very much, many thanks, thanks in advance, thank you in advance
        hi, hello, hey, good morning, good afternoon, good evening, good day, hi there, hello there, dear, greetings, cheers, much appreciated, appreciate it
        i would appreciate, can you tell me, could you tell me, can you please, could you please, would you please, can you help me
        could you help me, help me, please help, i was wondering, i am wondering, just wondering, wondering, quick question
        i have a question, i would like to know, i want to know, i need to know, i would like, let me know, do you know, any idea
        tell me, give me, show me, explain to me, if possible, asap, as soon as possible, sorry, excuse me, pls, plz, thx, btw
        for me, in advance, question, be so kind, would you mind, do you mind, i am curious, curious
        请, 请问, 你好, 您好, 谢谢, 多谢, 感谢, 谢谢你, 谢谢您, 麻烦, 麻烦你, 麻烦您, 拜托, 劳驾, 请教, 请教一下, 想问, 想问一下, 问一下, 我想知道, 想知道
        帮我, 帮忙, 帮忙看看, 请帮我, 帮助我, 请告诉我, 告诉我, 能告诉我, 跟我说说, 求助, 急, 在线等, 各位, 大家好, 不好意思, 打扰了, 打扰一下, 有人知道, 谁知道, 我想问, 我想问一下
        不要着急, 不用着急, 别着急, 不着急, 别担心, 不用担心, 不用谢, 求助, 求解, 求大神, 谢谢啦
        非常感谢, 十分感谢, 万分感谢, 辛苦了, 请你, 请您, 你能, 您能, 能否告诉我, 可以告诉我
        """

    static let denials = """
        not, no, never, none, nobody, nothing, nowhere, neither, nor, without, non, n't, no longer, not any
        不, 没, 没有, 无, 非, 别, 勿, 莫, 未, 不要, 不用, 不能, 不可, 不可以, 不会, 不该, 不应该, 不应, 不准, 不许, 不得, 不宜, 不必, 不需要, 不是, 不适合, 不含, 不包含, 不包括, 并非, 从不, 从未, 绝不, 毫无, 尚未, 未曾, 不再, 不想, 不愿, 不喜欢, 不行, 没法, 没能, 无需, 无须, 切勿, 请勿, 不让
        """

    static let impliedDenials = """
        unable, fail, fails, failed, failing, failure, impossible, hardly, barely, rarely, seldom, cannot find, refuse, refuses
        lack, lacks, lacking, missing, absent, stop, stopped, avoid, avoiding, except, excluding, exclude, free of, prevent, few, little
        broken, problem, issue, trouble, error, forget, forgot, less than, instead of, rather than, but
        无法, 难以, 失败, 不了, 不到, 不出, 不上, 不通过, 禁止, 避免, 除了, 缺少, 缺乏, 拒绝, 停止, 防止, 忌, 异常, 不成功, 出错, 忘记, 忘了, 很少, 极少, 不足
        """

    static let noDenials = """
        not only, whether or not, or not, why not, if not, not sure, no idea, not certain, do not know, did not know, no problem
        no matter, nothing but, not to mention, no doubt, no doubt that, nonetheless, nevertheless, why do not, why do not we, why do not you
        can you not, could you not, is not it, is not there, are not there, would not it, do not you, does not it, not just, not necessarily
        or no, if not then why, if no, why or why not, not at all expensive, nothing else, not yet sure, i can not figure out
        no one, last but not least, do not hesitate, do not worry, do not mind, could not care, no., i do not understand, do not understand
        不同, 不过, 不错, 不但, 不仅, 不只, 不止, 不管, 不论, 不好意思, 差不多, 对不起, 了不起, 不久, 不断, 不然, 要不然, 不得不, 不客气, 不少, 不一定, 没问题, 没事, 没关系
        无论, 无锡, 无线, 无限, 无聊, 无人机, 无所谓, 无花果, 非常, 非洲, 非要, 除非, 别人, 别的, 特别, 区别, 级别, 性别, 分别, 个别, 别墅, 告别, 识别, 类别, 未来, 未必, 莫名, 莫名其妙, 是否, 能否, 可否
        不知道, 不知, 不清楚, 不明白, 不懂, 不太清楚, 不大清楚, 不妨, 不如, 不等式, 不锈钢, 不动产, 不等, 不由得, 不禁, 不停, 不可避免, 不可思议, 不可或缺, 沙漠, 莫非, 莫斯科, 鉴别, 辨别, 差别, 离别, 道别, 派别, 国别, 甄别, 并非如此, 非典, 非遗, 非物质文化遗产
        有没有, 是不是, 能不能, 可不可以, 会不会, 要不要, 好不好, 行不行, 对不对, 该不该, 用不用, 需不需要, 应不应该, 可不可能, 值不值得, 想不想, 愿不愿意, 来不来得及, 能不能够
        无缘无故, 要不, 不限, 不就, 不然的话, 有没, 不妨碍, 不由自主, 不知不觉, 不了了之, 不愧, 不约而同, 不仅仅, 不相上下, 不三不四
        无意中, 从无到有, 未婚, 未成年, 未成年人, 无产阶级, 无理数, 无机, 无影灯, 南无, 绝无仅有, 无穷, 无双, 无尽, 无敌, 无情, 无非
        """

    static let measures = """
        个, 只, 条, 件, 本, 张, 名, 位, 次, 遍, 首, 篇, 句, 段, 字, 步, 种, 类, 点, 项, 座, 台, 辆, 艘, 架, 部, 章, 节, 集, 季, 层, 楼, 号, 路, 颗, 粒, 杯, 瓶, 碗, 盘, 盒, 包, 袋, 箱, 双, 对, 套, 份, 道, 题, 家, 所, 间, 株, 棵, 朵, 头, 匹, 支, 根, 片, 块, 枚, 副, 幅, 场, 回, 趟, 圈, 倍, 人, 口, 线, 环, 代, 版, 期, 届, 世纪, 年级, 星级, 成, 折, 等, 级, 楼, 行, 列, 则, 例, 词, 行, 页, 课, 年代, 周年, 门, 笔, 股, 床, 扇, 封, 盏, 幢, 栋, 滴, 束, 串, 批, 群, 队, 组, 排, 罐, 壶, 勺, 餐, 顿, 夜, 晚, 室, 厅, 局, 轮, 遍, 下, 档
        """

    /// A line a language: Spanish, French, German, Portuguese, Italian, Dutch. Words that English has too are left out.
    static let foreign = """
        el, los, las, una, del, que, para, con, por, cómo, qué, cuál, dónde, está, es, más, muy, puedo, hacer, y, en, un, de, la, mi, se, cuáles
        le, les, des, une, est, que, qui, pour, dans, avec, comment, quel, quelle, quels, quelles, vous, je, et, du, pourquoi, où, ce, cette, sont, un, de, la, en, mon, sur
        der, das, und, ist, wie, ich, nicht, ein, eine, einen, mit, für, auf, zu, wer, warum, sind, kann, wo, dem, den, von, im, welche, mein, man, es
        o, os, uma, um, que, para, com, por, não, você, é, qual, onde, são, mais, fazer, do, da, dos, das, e, meu, em, quais, posso
        il, gli, che, per, sono, della, di, una, un, come, perché, è, qual, dove, cosa, quali, del, la, e, con, più, mio, posso
        het, een, en, ik, niet, hoe, wat, is, van, waarom, kan, voor, met, zijn, wie, welke, op, mijn, dat, waar
        """
}
