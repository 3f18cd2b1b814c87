/// Words that may stand for each other in a question. They count as the same word, so only those are here whose
/// exchange hardly ever changes an answer.
enum Synonyms {
    static let english = """
        begin, start, commence
        buy, purchase
        fix, repair, mend, resolve
        delete, remove, erase, get rid of
        explain, describe, clarify, elaborate, make clear
        write, compose, draft, create, generate, produce, make up
        implement, code up, program
        big, large
        quick, fast, rapid, speedy
        method, approach, technique, procedure
        step, instruction, walkthrough, guide
        difference, differ, distinction
        example, instance, sample
        cost, price, expense
        salary, wage, pay, earnings, income, earn
        job, occupation, profession
        kid, child
        movie, film
        picture, photo, image
        automobile, car
        trip, journey, visit, travel
        itinerary, travel plan
        doctor, physician
        illness, disease, sickness
        medicine, medication, drug
        company, firm, business
        error, mistake
        bug, defect
        important, essential, crucial, significant
        famous, well known, renowned, known
        largest, biggest
        smallest, tiniest
        often, frequently, how often
        compute, calculate, work out
        suggest, recommend, propose
        change, alter, modify
        convert, turn, transform
        show, display
        choose, pick, select
        obtain, acquire
        try, attempt
        answer, reply, response
        ask, inquire
        learn, study
        home, house
        remote work, work from home, working from home, telework, telecommuting
        advantage, benefit, pro, upside
        disadvantage, drawback, con, downside
        cheap, inexpensive, affordable
        smart, intelligent, clever
        difficult, hard, tough
        easy, simple
        beautiful, pretty
        correct, right
        wrong, incorrect
        quickly, fast
        main, principal, primary, major
        total, sum
        speed, velocity
        weather, climate
        ceo, chief executive officer, chief executive
        capital, capital city
        population, inhabitants
        lifespan, life expectancy, how long live
        currency, money used
        birth date, date of birth, birthday, born
        death date, date of death
        install, installation, set up
        configure, configuration, setting
        upgrade, update
        side effect, adverse effect, adverse reaction
        symptom, sign
        recipe, cooking instructions
        grow, cultivate
        require, need
        happen, occur, take place
        win, winner, won, champion
        publish, release
        author, writer
        plot, storyline
        fridge, refrigerator
        tv, television
        phone, mobile, cell phone, smartphone, telephone
        laptop, notebook computer
        app, application
        website, web site, site
        internet, web
        folder, directory
        login, log in, sign in, sign on
        signup, sign up, register, registration
        email, e-mail, mail
        password, passcode
        code, source code, source, program
        function, method
        list, enumerate, name
        people, person, persons
        usa, america
        vacation, holiday trip
        lawyer, attorney
        gasoline, petrol
        apartment, flat
        soccer, football
        elevator, lift
        autumn, fall season
        math, maths, mathematics
        tell apart, distinguish
        improve, enhance, better
        reduce, lower, decrease, cut, bring down
        increase, raise, boost
        enable, turn on, switch on, activate
        disable, turn off, switch off, deactivate
        stop, halt, cease
        finish, complete, end
        """

    static let chinese = """
        计算机, 电脑
        原因, 理由, 缘故
        方法, 办法, 做法, 步骤, 教程
        优点, 好处, 长处, 优势, 益处
        缺点, 坏处, 短处, 劣势, 弊端
        副作用, 不良反应
        症状, 表现
        价格, 价钱, 多少钱, 费用
        工资, 薪水, 月薪, 薪资, 收入水平
        意思, 含义, 含意
        攻略, 旅行计划, 行程, 旅游攻略, 旅游计划
        怎么走, 路线
        做饭, 烹饪
        写, 撰写, 创作, 编写
        翻译, 译
        寿命, 活多久, 能活多久
        患者, 病人
        打开, 开启, 启用
        关闭, 关掉, 停用
        在家办公, 远程办公, 远程工作, 居家办公
        手机, 移动电话
        冠军, 夺冠, 第一名
        列举, 列出, 给出
        推荐, 建议
        购买, 买
        修理, 维修, 修
        学习, 学
        孩子, 小孩, 儿童
        房子, 住房
        汽车, 车子
        怀孕, 孕期
        首班, 第一趟, 首趟, 头班
        发车时间, 几点发车
        热量, 卡路里, 大卡
        清洗, 清洁
        保存, 储存, 存放
        恢复出厂设置, 重置
        治疗, 医治
        去世, 逝世
        简介, 介绍
        作者, 谁写
        """
}
