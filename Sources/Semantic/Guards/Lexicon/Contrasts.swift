/// A class whose members exclude each other; a bar or a new line starts the next member, a comma its next name.
struct ContrastList: Sendable {
    var guardian: Guard
    var name: String
    var members: String
}

/// Classes for what is asked for: when, in which language, in which form, which task.
enum Contrasts {
    static let all: [ContrastList] = time + request + Names.products + Names.nature + Places.all

    private static let time = [
        ContrastList(
            guardian: .date, name: "month",
            members: """
                january, jan, 一月份 | february, feb, 二月份 | ^march, 三月份 | april, apr, 四月份 | ^may, 五月份
                june, jun, 六月份 | july, jul, 七月份 | august, aug, 八月份 | september, sep, sept, 九月份
                october, oct, 十月份 | november, nov, 十一月份 | december, dec, 十二月份
                """),
        ContrastList(
            guardian: .date, name: "weekday",
            members: """
                monday, 星期一, 周一, 礼拜一 | tuesday, 星期二, 周二, 礼拜二 | wednesday, 星期三, 周三, 礼拜三
                thursday, 星期四, 周四, 礼拜四 | friday, 星期五, 周五, 礼拜五 | saturday, 星期六, 周六, 礼拜六
                sunday, 星期日, 星期天, 周日, 礼拜天, 礼拜日 | weekend, 周末 | weekday, workday, 工作日
                """),
        ContrastList(
            guardian: .date, name: "relative day",
            members: """
                today, 今天, 今日 | tomorrow, 明天, 明日 | yesterday, 昨天, 昨日 | the day after tomorrow, 后天
                the day before yesterday, 前天 | tonight, 今晚 | last night, 昨晚 | this week, 本周, 这周 | next week, 下周, 下星期
                last week, 上周, 上星期 | this month, 本月, 这个月, 当月 | next month, 下个月, 下月 | last month, 上个月, 上月, 先月
                this year, 今年, 本年, 本年度 | next year, 明年, 来年 | last year, 去年, 上一年 | 前年 | 后年
                first month | first week | first day | last day
                """),
        ContrastList(
            guardian: .date, name: "part of the day",
            members: """
                morning, in the morning, 早上, 上午, 早晨, 清晨 | noon, midday, 中午, 正午 | afternoon, 下午 | evening, 傍晚
                night, at night, 晚上, 夜晚, 夜里 | midnight, 午夜, 凌晨 | breakfast, 早餐, 早饭 | lunch, 午餐, 午饭, 中饭
                dinner, supper, 晚餐, 晚饭
                """),
        ContrastList(
            guardian: .date, name: "season",
            members: "spring, springtime, 春天, 春季 | summer, 夏天, 夏季 | autumn, 秋天, 秋季 | winter, 冬天, 冬季"),
        ContrastList(
            guardian: .date, name: "holiday",
            members: """
                christmas, xmas, 圣诞节, 圣诞 | easter, 复活节 | halloween, 万圣节 | thanksgiving, 感恩节 | new year, 元旦, 新年
                spring festival, chinese new year, lunar new year, 春节 | mid-autumn festival, 中秋节, 中秋 | 端午节, 端午 | 清明节, 清明
                国庆节, 国庆 | 劳动节, 五一 | 情人节, valentine's day, valentine | 重阳节 | 元宵节 | 七夕 | mother's day, 母亲节
                father's day, 父亲节 | 教师节 | 儿童节 | 妇女节 | diwali | ramadan, 斋月 | hanukkah | independence day
                """),
        ContrastList(
            guardian: .date, name: "era",
            members: """
                秦朝, 秦代, qin dynasty | 汉朝, 汉代, han dynasty | 唐朝, 唐代, tang dynasty | 宋朝, 宋代, song dynasty | 元朝, 元代, yuan dynasty
                明朝, 明代, ming dynasty | 清朝, 清代, qing dynasty | 隋朝 | 晋朝, 西晋, 东晋 | 商朝 | 周朝, 西周, 东周 | 夏朝 | 三国时期 | 春秋 | 战国 | 民国
                middle ages, medieval | renaissance, 文艺复兴 | bronze age | stone age, 石器时代 | iron age | victorian, victorian era
                world war i, world war one, first world war, ww1, wwi, 一战, 第一次世界大战 | world war ii, world war two, second world war, ww2, wwii, 二战, 第二次世界大战
                cold war, 冷战 | jurassic, 侏罗纪 | cretaceous, 白垩纪 | triassic, 三叠纪
                """),
    ]

    private static let request = [
        ContrastList(
            guardian: .entity, name: "what of a word",
            members: """
                antonym, opposite of, 反义词 | synonym, 近义词, 同义词 | meaning, mean, definition, define, 意思, 含义 | pronunciation, pronounce, 读音, 怎么读, 拼音
                etymology, 词源 | plural, 复数 | past tense, 过去式
                """),
        ContrastList(
            guardian: .language, name: "language",
            members: """
                english, 英语, 英文 | chinese, mandarin, 中文, 汉语, 普通话, 华语 | french, 法语, 法文 | german, 德语, 德文
                spanish, 西班牙语, 西语, 西班牙文 | italian, 意大利语, 意语 | portuguese, 葡萄牙语, 葡语 | russian, 俄语, 俄文
                japanese, 日语, 日文 | korean, 韩语, 韩文, 朝鲜语 | arabic, 阿拉伯语, 阿拉伯文 | hindi, 印地语 | bengali, 孟加拉语 | urdu, 乌尔都语
                turkish, 土耳其语 | dutch, 荷兰语 | swedish, 瑞典语 | norwegian, 挪威语 | danish, 丹麦语 | finnish, 芬兰语 | polish language, polish, 波兰语
                czech, 捷克语 | slovak, 斯洛伐克语 | hungarian, 匈牙利语 | romanian, 罗马尼亚语 | bulgarian, 保加利亚语 | greek, 希腊语
                hebrew, 希伯来语 | persian, farsi, 波斯语 | vietnamese, 越南语 | thai, 泰语, 泰文 | indonesian, 印尼语, 印度尼西亚语 | malay, 马来语
                tagalog, filipino | swahili, 斯瓦希里语 | ukrainian, 乌克兰语 | serbian, 塞尔维亚语 | croatian, 克罗地亚语 | latin, 拉丁语, 拉丁文
                cantonese, 粤语, 广东话 | esperanto, 世界语 | catalan | irish, gaelic | welsh | icelandic, 冰岛语 | mongolian, 蒙古语 | tibetan, 藏语
                tamil, 泰米尔语 | telugu | marathi | gujarati | punjabi | kannada | malayalam | sanskrit, 梵语 | afrikaans | albanian | basque | estonian | latvian | lithuanian
                traditional chinese, 繁体中文, 繁体 | simplified chinese, 简体中文, 简体 | 文言文, 古文 | 白话文
                """),
        ContrastList(
            guardian: .format, name: "form",
            members: """
                json | csv | xml | yaml, yml | html | markdown, md | latex | table, tabular, 表格, 列表格 | numbered list, 编号列表, 有序列表
                bullet point, bulleted list, bullet list, bullet, 要点列表, 项目符号, 无序列表, 列表 | paragraph, prose, 段落, 段话, 一段文字, 一段话 | sentence, 句话
                poem, 诗, 诗歌 | 绝句, 七言绝句, 五言绝句 | 律诗 | 顺口溜 | 相声 | haiku, 俳句 | limerick | sonnet, 十四行诗 | rap, rap song | song, lyrics, 歌词, 歌曲 | essay, 作文, 文章 | 散文 | letter, 信, 书信, 信件 | email, e-mail, 邮件, 电子邮件
                tweet, 推文, 微博 | blog post, blog, 博客 | speech, 演讲稿, 演讲, 发言稿 | dialogue, conversation, 对话 | story, short story, 故事, 小故事, 短篇小说 | script, 剧本, 脚本
                report, 报告 | resume, cv, 简历 | cover letter, 求职信 | outline, 大纲, 提纲 | flowchart, 流程图 | mind map, 思维导图 | diagram, 图表 | slide, presentation, ppt, 幻灯片
                press release, 新闻稿 | advertisement, ad copy, 广告, 广告语 | slogan, tagline, 标语, 口号 | recipe, 食谱, 菜谱 | checklist, 清单 | timeline, 时间线 | novel, 小说 | diary, 日记 | fairy tale, 童话
                review, 影评, 书评, 评论 | joke, 笑话 | riddle, 谜语 | couplet, 对联 | fable, 寓言 | thesis, 论文 | news article, 新闻, 新闻报道 | linkedin post | caption | quiz, 测验 | crossword | toml | plain text, 纯文本 | sql | regex, regular expression, 正则表达式 | pie chart, 饼图 | bar chart, bar graph, 柱状图, 条形图 | line chart, line graph, 折线图 | scatter plot, 散点图 | histogram, 直方图
                """),
        ContrastList(
            guardian: .format, name: "occasion of a letter",
            members: """
                cover letter, application letter, 求职信, 应聘信 | thank you letter, thank you note, thank you email, 感谢信 | apology letter, apology email, apology, 道歉信, 检讨书
                recommendation letter, letter of recommendation, 推荐信 | resignation letter, 辞职信, 辞职报告 | complaint letter, complaint, 投诉信 | love letter, 情书 | invitation letter, invitation, 邀请函, 请柬
                rejection letter, rejection email, rejection | acceptance letter, acceptance email | sick leave, leave request, 请假条 | condolence letter, 慰问信 | congratulation letter, congratulations, 祝贺信, 贺信 | farewell letter, farewell email, 告别信
                """),
        ContrastList(
            guardian: .format, name: "length",
            members: """
                briefly, brief, short, concise, concisely, succinct, in short, short answer, 简短, 简要, 简洁, 简单说, 简略, 精简, 简述, 概括
                in detail, detailed, thorough, thoroughly, comprehensive, in depth, long, elaborate, lengthy, extensively, 详细, 详尽, 详述, 深入, 具体, 全面
                """),
        ContrastList(
            guardian: .format, name: "audience",
            members: """
                eli5, kids, like i am five, 给孩子, 给小孩, 给小朋友 | beginner, novice, newcomer, dummies, layman, 初学者, 新手, 零基础 | expert, specialist, 专家, 专业人士
                """),
        ContrastList(
            guardian: .format, name: "tone",
            members: """
                formal, formally, professional tone, 正式 | informal, casual, friendly tone, 非正式, 口语化, 随意 | humorous, funny, 幽默, 搞笑 | sarcastic, 讽刺
                casually, 轻松 | serious, 严肃 | persuasive, 有说服力 | academic, scholarly, 学术 | poetic, 诗意
                """),
        ContrastList(
            guardian: .task, name: "task",
            members: """
                summarize, summarise, summary, sum up, tldr, tl;dr, summarizing, abstract, gist, 总结, 概括, 摘要, 概述, 归纳, 小结
                translate, translation, 翻译, 译成, 译为, 译
                sentiment, mood, positive or negative, tone of the text, overall mood, emotion, 情感, 情绪, 正面还是负面, 积极还是消极, 情感倾向, 褒贬
                key points, main points, key takeaways, takeaways, main ideas, three points, highlights, 要点, 关键点, 主要观点, 重点, 核心观点
                title, headline, heading, 标题, 题目 | keywords, key words, key phrases, tags, 关键词, 关键字, 标签
                proofread, correct the grammar, grammar errors, grammatical errors, spelling mistakes, fix the grammar, 校对, 语法错误, 错别字, 病句, 纠错
                rewrite, paraphrase, rephrase, reword, 改写, 重写, 润色, 换个说法, 转述 | expand on, elaborate on, lengthen, 扩写 | shorten, condense, abridge, 缩写, 缩短
                continue the text, continue the story, continue writing, 续写, 接着写 | classify, categorize, categorise, category, topic, genre, 分类, 类别, 归类, 主题
                comprehension questions, quiz questions, write questions, generate questions, ask questions, 出题, 提问, 提出问题
                named entities, people mentioned, names mentioned, entities, who is mentioned, extract the names, 实体, 人名, 提取人名, 提到的人, 地名
                author, who wrote, 作者 | dates mentioned, extract the dates, extract all dates | count the words, word count, how many words, 字数, 多少字
                language is, which language, what language, 哪种语言, 什么语言 | reply to, respond to, write a reply, draft a reply, write an answer, draft an answer, draft a response, 回复, 回信 | critique, criticize, criticise, evaluate, 评价, 点评, 批评
                action items, to do list, todos, next steps, 待办, 行动项 | debug, find the bug, fix the bug, 找出错误, 调试 | unit test, unit tests, write tests, 单元测试, 测试用例
                add comments, document the code, docstring, docstrings, 注释, 加注释 | refactor, refactoring, clean up the code, 重构 | explain the code, explain this code, what does this code do, 解释代码, 解释这段代码
                optimize, optimise, speed up, performance, 优化 | time complexity, big o, complexity, 时间复杂度 | security, vulnerabilities, vulnerability, 安全漏洞, 漏洞
                jargon, difficult words, define the terms, glossary, 生词, 术语 | simplify, simpler, plain language, 简化, 通俗 | fact check, true or false, 事实核查
                """),
        ContrastList(
            guardian: .number, name: "operator",
            members: """
                +, plus, add, added to, sum of, addition, 加, 加上, 相加, 加法 | -, minus, subtract, subtracted from, subtraction, difference of, 减, 减去, 相减, 减法
                *, ×, times, multiplied by, multiply, product of, multiplication, 乘, 乘以, 相乘, 乘法 | ÷, /, divided by, divide, quotient, division, 除, 除以, 相除, 除法
                """),
        ContrastList(
            guardian: .number, name: "function",
            members: """
                square root, sqrt, 平方根 | cube root, cbrt, 立方根 | square of, squared, 平方数 | cube of, cubed, 立方数 | factorial, 阶乘 | logarithm, log of, 对数 | sine, sin, 正弦 | cosine, cos, 余弦 | tangent, tan, 正切
                median, 中位数 | arithmetic mean, mean of, average, 平均数, 平均值, 均值 | mode of, 众数 | variance, 方差 | standard deviation, 标准差, 标准偏差 | derivative, differentiate, 导数, 求导 | integral, integrate, 积分 | prime, primes, 质数, 素数 | perimeter, circumference, 周长 | area of, area, 面积 | volume, 体积 | radius, 半径 | diameter, 直径
                boiling point, 沸点 | melting point, 熔点 | freezing point, 凝固点, 冰点 | flash point, 闪点
                greatest common divisor, gcd, 最大公约数 | least common multiple, lcm, 最小公倍数 | eigenvalue, 特征值 | eigenvector, 特征向量 | determinant, 行列式 | inverse, 逆 | transpose, 转置
                """),
    ]
}
