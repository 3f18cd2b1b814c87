import Foundation
import Semantic
import Testing

/// Everyday questions that a cache must not mix up, and rewordings that it should answer: a line a pair.
@Suite struct EverydayPairsTests {
    private static func pairs(_ table: String) -> [(String, String)] {
        table.split(separator: "\n").compactMap { line in
            guard let bar = line.range(of: " | ") else { return nil }
            return (String(line[..<bar.lowerBound]), String(line[bar.upperBound...]))
        }
    }

    @Test(arguments: pairs(different)) func anotherQuestionIsRefused(_ new: String, _ old: String) {
        #expect(!Guards.compare(new, old).objections.isEmpty)
        #expect(!Guards.compare(old, new).objections.isEmpty)
    }

    @Test(arguments: pairs(same)) func aRewordingPasses(_ new: String, _ old: String) {
        #expect(Guards.compare(new, old).objections == [])
        #expect(Guards.compare(old, new).objections == [])
    }

    private static let different = """
        Write a haiku about autumn | Write a haiku about winter
        convert 5 kg to lbs | convert 5 kg to stone
        Tell me why cats are better than dogs | Tell me why dogs are better than cats
        How do I turn on airplane mode on my iPhone? | How do I turn off airplane mode on my iPhone?
        How can I gain weight fast? | How can I lose weight fast?
        What happens if I pay my taxes late? | What happens if I don't pay my taxes late?
        Is it safe to eat raw eggs? | Is it unsafe to eat raw eggs?
        Give me a 7 day meal plan | Give me a 3-day meal plan
        GDP of France in 2015 | GDP of France in 2019
        Explain blockchain in simple terms | Explain blockchain in technical terms
        What is the tallest building in Europe? | What is the shortest building in Europe?
        Who was the oldest US president? | Who was the youngest US president?
        What is the most expensive car? | What is the cheapest car?
        Who was the first person on the moon? | Who was the last person on the moon?
        How do I increase the font size in Word? | How do I decrease the font size in Word?
        Name some foods with lactose | Name some foods without lactose
        Which words rhyme with blue? | Which words don't rhyme with blue?
        Which countries are in the EU? | Which countries are not in the EU?
        vegan recipes with nuts | vegan recipes without nuts
        What happened in the 19th century? | What happened in the 20th century?
        Schedule it for next Monday | Schedule it for last Monday
        meeting at 2 PM | meeting at 2 AM
        How far above sea level is Denver? | How far below sea level is Denver?
        Write a limerick about bees | Write a sonnet about bees
        Answer in one line | Answer in five lines
        Use bullet points | Use a numbered list
        Summarize the plot of Hamlet in 50 words | Summarize the plot of Hamlet in 500 words
        Should I invest in gold? | Should I not invest in gold?
        Why is the sky blue? | Why is the sky red?
        Who is the prime minister of Canada? | Who is the prime minister of Australia?
        Symptoms of flu in adults | Symptoms of flu in children
        How do I import data into Excel? | How do I export data from Excel?
        Who founded Microsoft? | Who founded Google?
        What did Einstein discover? | What did Newton discover?
        Python 2 print syntax | Python 3 print syntax
        Upgrade Node from 14 to 18 | Upgrade Node from 18 to 14
        If Ann is taller than Bob, who is shorter? | If Bob is taller than Ann, who is shorter?
        Does Germany export more to France than France exports to Germany? | Does France export more to Germany than Germany exports to France?
        Is 0.5 greater than 0.25? | Is 0.5 less than 0.25?
        List prime numbers below 50 | List prime numbers below 100
        What is the boiling point of ethanol? | What is the boiling point of methanol?
        What is the boiling point of water? | What is the freezing point of water?
        How many calories in a banana? | How many calories in an avocado?
        Population of Lyon | Population of Nice
        maximum speed of a cheetah | minimum speed of a cheetah
        exercises for the upper body | exercises for the lower body
        Write a positive review for a hotel | Write a negative review for a hotel
        arguments for nuclear power | arguments against nuclear power
        How do I accept a job offer by email? | How do I decline a job offer by email?
        When does winter begin? | When does winter end?
        How do I encrypt a file with openssl? | How do I decrypt a file with openssl?
        Translate "thank you" to Japanese | Translate "goodbye" to Japanese
        Translate this paragraph into Italian | Translate this paragraph into Portuguese
        Write the answer in English | Write the answer in German
        What does git reset --hard do? | What does git reset --soft do?
        open file a.txt | open file b.txt
        http error 404 | http error 403
        How tall is Mount Everest in meters? | How tall is Mount Everest in feet?
        How long does it take to boil an egg in minutes? | How long does it take to boil an egg in seconds?
        speed limit in km/h | speed limit in mph
        What is 20% of 80? | What is 30% of 80?
        Who won the election in 2016? | Who won the election in 2020?
        Give me two reasons | Give me four reasons
        Explain like I'm 5 | Explain like I'm 15
        孕妇能吃螃蟹吗 | 孕妇不能吃螃蟹吗
        哪些动物会冬眠 | 哪些动物不会冬眠
        怎么增肥 | 怎么减肥
        如何给手机充电更快 | 如何给手机充电更慢
        世界上最高的山 | 世界上最低的山
        中国最大的湖 | 中国最小的湖
        怎样打开飞行模式 | 怎样关闭飞行模式
        把英语翻译成中文 | 把中文翻译成英语
        从广州到深圳怎么坐车 | 从深圳到广州怎么坐车
        法国的首都是哪里 | 德国的首都是哪里
        李白的诗 | 杜甫的诗
        写一首关于春天的诗 | 写一首关于冬天的诗
        用三句话介绍长城 | 用五句话介绍长城
        2008年奥运会在哪里举行 | 2012年奥运会在哪里举行
        1千克等于多少克 | 1千克等于多少斤
        5英里是多少公里 | 5海里是多少公里
        今天天气怎么样 | 明天天气怎么样
        给我写一封辞职信 | 给我写一封求职信
        猫为什么怕水 | 狗为什么怕水
        男生适合学什么专业 | 女生适合学什么专业
        含糖的饮料有哪些 | 不含糖的饮料有哪些
        上个月的销售额 | 下个月的销售额
        用Python实现冒泡排序 | 用Java实现冒泡排序
        请用英文回答 | 请用中文回答
        列出10个国家 | 列出20个国家
        第一次世界大战的原因 | 第二次世界大战的原因
        猫和狗谁更聪明，为什么猫比狗聪明 | 为什么狗比猫聪明
        高血压的症状 | 低血压的症状
        早上八点的闹钟 | 晚上八点的闹钟
        输出为JSON | 输出为XML
        夏天吃什么好 | 夏天不宜吃什么
        How do I make pancakes without eggs? | How do I make pancakes without milk?
        Write a cover letter for an internship at Siemens | Write a cover letter for an internship at Bosch
        What's the weather in Oslo in May? | What's the weather in Oslo in July?
        Rewrite this email in a formal tone | Rewrite this email in a casual tone
        Set a reminder for 9 am tomorrow | Set a reminder for 9 pm tomorrow
        How much is 3 cups of flour in grams? | How much is 3 cups of flour in ounces?
        Compare iPhone 14 and iPhone 15 | Compare iPhone 13 and iPhone 15
        How to remove a user from a group in Linux | How to add a user to a group in Linux
        convert hex to decimal | convert decimal to hex
        convert uppercase to lowercase | convert lowercase to uppercase
        JSON to CSV in Python | CSV to JSON in Python
        How to upload a file to S3 | How to download a file from S3
        distance from the Earth to the Moon | distance from the Earth to the Sun
        Who was king of England in 1066? | Who was king of England in 1166?
        Explain the second law of thermodynamics | Explain the first law of thermodynamics
        How to say hello in Thai | How to say hello in Vietnamese
        What are the benefits of meditation? | What are the risks of meditation?
        Write unit tests in Jest | Write unit tests in Mocha
        Are tomatoes fruits? | Are tomatoes vegetables?
        How do I stop my dog from barking? | How do I get my dog to bark?
        When is it legal to turn right on red? | When is it illegal to turn right on red?
        What should I do before surgery? | What should I do after surgery?
        How do I enter the US from Canada? | How do I enter Canada from the US?
        Is Pluto a planet? | Is Pluto not a planet?
        Reasons why homework is useful | Reasons why homework is useless
        Write a happy ending for this story | Write a sad ending for this story
        cube root of 64 | square root of 64
        Draft a rejection email to a candidate | Draft an acceptance email to a candidate
        Sort by date ascending | Sort by date descending
        x > 5 | x < 5
        f(x) = x^2 | f(x) = x^3
        git merge feature into main | git merge main into feature
        What does the S in SOLID stand for? | What does the L in SOLID stand for?
        如何从安卓转到苹果 | 如何从苹果转到安卓
        人民币兑换美元 | 美元兑换人民币
        东北有哪些城市 | 西北有哪些城市
        猫可以吃巧克力吗 | 狗可以吃巧克力吗
        怎么申请加拿大签证 | 怎么申请澳洲签证
        写一封给老师的感谢信 | 写一封给老师的道歉信
        小明给小红十块钱 | 小红给小明十块钱
        去年的GDP是多少 | 今年的GDP是多少
        怎么注册微信 | 怎么注销微信
        周末天气 | 工作日天气
        请写一篇正面评价 | 请写一篇负面评价
        为什么要早睡 | 为什么不要早睡
        三分之一加四分之一 | 三分之一加五分之一
        鸡蛋煮几分钟 | 鸡蛋煮几小时
        """

    private static let same = """
        How do I install Redis on Ubuntu? | HOW DO I INSTALL REDIS ON UBUNTU
        What is the colour of the sky? | what is the color of the sky
        Please summarise this article | Summarize this article please
        How to send an e-mail with Python? | how do i send an email with python
        What is the population of Japan? 😊 | What's Japan's population?
        Explain photosynthesis | Could you explain photosynthesis to me?
        Hey ChatGPT, what's the boiling point of water? | what is the boiling point of water
        I need help with installing Docker on Debian | How do I install Docker on Debian?
        Give me 10 ideas for a birthday party | Can you come up with ten birthday party ideas?
        Who wrote Hamlet? | Who is the author of Hamlet?
        What's 12 x 12? | What is 12 × 12?
        How many days are there in a leap year? | Number of days in a leap year
        Difference between RAM and ROM | What is the difference between ROM and RAM?
        I'm looking for a good book about history | Recommend a good history book
        What time is it in Tokyo? | Current time in Tokyo
        Can you write me a poem about love? | Write a love poem
        Is it ok to drink coffee at night? | Is drinking coffee at night okay?
        How can I learn Spanish quickly? | What is the fastest way to learn Spanish?
        best way to lose weight | What's the best method to lose weight?
        My laptop won't turn on | My laptop does not turn on
        How do I unsubscribe from Netflix? | How can I cancel my Netflix subscription?
        whats the capital of france | What is the capital city of France?
        How old is the universe? | What is the age of the universe?
        Fix this: I has a apple | Please fix this: I has a apple
        Why can't I log in? | Why am I unable to log in?
        How do I get rid of ants? | How to eliminate ants
        List the planets in order | Name the planets in order, please.
        Convert 100 USD to EUR | How many euros is 100 dollars?
        convert 10 km to miles | 10 kilometers in miles
        In Python, how do I read a file? | How do I read a file in Python?
        What is machine learning? | Define machine learning
        What is ML? | What is machine learning?
        Write a short story about a dragon | Compose a short story about a dragon
        How long is a marathon? | What is the length of a marathon?
        Tell me a joke | tell me a joke!!!
        What are the side effects of aspirin? | aspirin side effects
        When did World War II end? | When did World War 2 end?
        Steps to bake bread | How do you bake bread?
        Who is the president of the USA? | Who's the president of the United States?
        Write an email to my boss asking for a day off | Draft an email asking my boss for a day off
        怎么做红烧肉 | 红烧肉的做法
        请问法国首都是哪里？ | 法国的首都是哪座城市
        帮我写一封请假条 | 请写一个请假条
        如何学好英语？ | 怎样才能学好英语
        今天天气怎么样 | 今天天气如何呀
        一年有多少天 | 1年有几天
        什么是人工智能 | 人工智能是什么？
        手机没电了怎么办 | 手机没有电了该怎么办
        怎样快速入睡 | 如何快速入睡？谢谢！
        推荐几本好书 | 有什么好书推荐
        用Python写冒泡排序 | 请用python实现一个冒泡排序
        长城有多长 | 长城的长度是多少
        10公里等于多少米？ | 十公里是多少米
        为什么天空是蓝色的 | 天空为什么是蓝的
        李白是哪个朝代的 | 李白是什么朝代的人
        给我讲个笑话 | 讲一个笑话给我听
        能不能推荐一部电影 | 推荐一部电影吧
        Excel怎么求和 | 在Excel中如何求和
        感冒了吃什么药 | 感冒应该吃什么药好
        北京有什么好玩的地方 | 北京有哪些好玩的景点
        How do I make pancakes without eggs? | pancakes without eggs, how?
        What's the weather in Oslo in May? | Oslo weather in May
        Thanks! How do I remove a user from a group in Linux? | How to remove a user from a group in Linux
        convert hex to decimal | How do I convert a hex number into decimal?
        What should I do before surgery? | What should I do prior to surgery?
        Which is better, cats or dogs? | Which is better, dogs or cats?
        Why do we dream? | What is the reason we dream?
        How does photosynthesis work? | Explain how photosynthesis works
        Is it possible to learn piano at 40? | Can you learn the piano at forty?
        cheapest way to travel to Rome | What's the cheapest way to get to Rome?
        My code throws an error, why? | Why does my code throw an error?
        I don't understand recursion, please explain | Explain recursion to me
        Write a 500-word essay on democracy | Write an essay on democracy in 500 words
        Summarize in 3 bullet points | Give a summary in three bullets
        Please translate "good morning" into French | How do you say "good morning" in French?
        who invented the telephone | Who is the inventor of the telephone?
        How far is the Moon? | What is the distance to the Moon?
        Top 5 movies of 2023 | What were the five best movies of 2023?
        I can't sleep, what should I do? | What can I do if I can't sleep?
        How do I cancel my order? | I want to cancel my order, how?
        Could you list the EU countries? | Which countries are in the EU?
        meeting at 3:30 pm | meeting at 15:30
        What is 5 percent of 200? | 5% of 200?
        How many people live in New York City? | population of NYC
        Write code to sort a list in python | python code for sorting a list
        How to boil eggs? | How do you boil an egg?
        Is tea good for health? | Is tea healthy?
        Why shouldn't I drink coffee at night? | Why should you not drink coffee in the night?
        苹果手机怎么截屏 | iPhone如何截图
        三分之一加四分之一等于多少 | 1/3+1/4等于几
        明天北京天气怎么样 | 北京明天的天气
        怎么做番茄炒蛋 | 西红柿炒鸡蛋怎么做
        晚上八点叫我 | 晚上8点叫我起床
        我想学游泳，怎么开始 | 怎么开始学游泳
        中国有多少个省 | 中国一共有几个省
        谁是美国总统 | 美国总统是谁
        怎么去掉衣服上的油渍 | 如何去除衣服上的油渍
        请把这段话翻译成英文 | 将这段话译成英语
        写一篇500字的作文 | 写一篇五百字作文
        周杰伦是谁 | 介绍一下周杰伦
        """
}
