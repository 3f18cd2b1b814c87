#!/usr/bin/env python3
"""Writes prompts.jsonl: a sample log of chat requests, for demonstrations and warm-up.

The prompts below are written for this project. How often each is asked follows Zipf's law, as popularity in real
logs about does; the order of members, the form (stream or whole) and the `user` vary from line to line, because a
cache must not care. The output is the same on every run.

Usage: python3 config/samples/make_prompts.py > config/samples/prompts.jsonl
"""
import json
import random

SEED = 20240229
LINES = 400
EXPONENT = 0.9
MODEL = "deepseek-chat"

SYSTEMS = {
    "support": "You are the support assistant of a shop for kitchen appliances. Answer in three sentences at most.",
    "code": "You are a careful programmer. Answer with code first, then one sentence of explanation.",
    "translate": "Translate what the user writes. Answer with the translation alone.",
    "sql": "Write one SQL query for PostgreSQL 16. No explanation.",
    "summary": "Summarise the text in one sentence a busy reader can act on.",
    "zh": "你是一名乐于助人的助手，请用简洁的中文回答。",
    "general": None,
}

PROMPTS = {
    "support": [
        "Where is my order? It was due yesterday.",
        "How do I return a toaster that I opened but did not use?",
        "My blender smells burnt after a minute. What should I do?",
        "Can I change the delivery address after paying?",
        "Do you ship to Norway, and what does it cost?",
        "The discount code SPRING does not work at the checkout.",
        "How long is the warranty on coffee machines?",
        "I was charged twice for the same kettle.",
        "Which of your mixers can knead heavy bread dough?",
        "How do I descale the espresso machine?",
        "The glass lid arrived broken. Can I get only the lid replaced?",
        "Please cancel my order, I picked the wrong colour.",
        "How do I get an invoice with our company's tax number?",
        "Is the air fryer basket safe in the dishwasher?",
        "My account is locked after too many attempts.",
        "What is the difference between the 500 and the 700 series?",
        "Can I pick the parcel up from a shop instead?",
        "When will the red stand mixer be back in stock?",
        "How do I unsubscribe from the newsletter?",
        "The refund was promised a week ago and is not here.",
    ],
    "code": [
        "Write a Python function that groups a list of dictionaries by a key.",
        "How do I reverse a string in Swift without breaking emoji?",
        "Show a debounce function in TypeScript.",
        "Read a large CSV file line by line in Go and sum its third column.",
        "Explain the difference between a process and a thread with a short C example.",
        "Write a Dockerfile for a small Flask application.",
        "What does `git rebase --onto` do? Show one example.",
        "Write a binary search in Rust that returns the insertion point.",
        "Turn this callback into async/await: fs.readFile('a.txt', (err, data) => console.log(data))",
        "Write a regular expression for ISO dates such as 2024-02-29.",
        "How can I limit the number of concurrent requests with asyncio?",
        "Write a unit test for a function that parses durations such as 5m or 2h.",
        "Why is my React component rendering twice in development?",
        "Write a bash script that keeps only the ten newest files of a folder.",
        "Implement an LRU cache in Java with generics.",
        "Find the bug: for i in range(len(a)): a.remove(a[i])",
        "Write a GitHub Actions workflow that runs pytest on each push.",
        "How do I make an HTTP request with a timeout in Swift?",
        "Convert a nested JSON object to flat keys with dots, in JavaScript.",
        "What is the time complexity of inserting into a B-tree?",
    ],
    "translate": [
        "To German: The meeting has been moved to Thursday at ten.",
        "To French: Could you send me the signed contract by tomorrow?",
        "To Spanish: Your parcel is waiting at the post office.",
        "To Chinese: The service will be unavailable for maintenance tonight.",
        "To Japanese: Thank you for your patience while we look into this.",
        "To English: Der Aufzug ist bis auf Weiteres außer Betrieb.",
        "To English: Le train de nuit circule tous les jours sauf le dimanche.",
        "To English: 请在周五之前确认您的报价。",
        "To Italian: The kitchen closes at half past nine.",
        "To Portuguese: Please keep the receipt for two years.",
        "To Dutch: We have raised the limit on your account.",
        "To Polish: The password must be at least twelve characters long.",
        "To English: La garantía no cubre daños causados por agua.",
        "To Swedish: The library is open on Saturdays.",
        "To Korean: Your appointment is confirmed for Monday morning.",
    ],
    "sql": [
        "All customers who have not ordered in the last 90 days. Tables: customers(id, name), orders(id, customer_id, created_at).",
        "Revenue per month for 2024. Table: invoices(id, amount, paid_at).",
        "The three best-selling products of each category. Tables: products(id, category, name), sales(product_id, quantity).",
        "Duplicate e-mail addresses, ignoring case. Table: users(id, email).",
        "Running total of deposits per account. Table: deposits(account_id, amount, made_at).",
        "Delete sessions older than 30 days in batches of 1000. Table: sessions(id, last_seen).",
        "The median response time per endpoint. Table: requests(endpoint, milliseconds).",
        "Employees who earn more than their manager. Table: employees(id, name, salary, manager_id).",
        "Days of the last year on which nothing was sold. Table: sales(sold_on).",
        "Insert a user or update the name if the e-mail exists. Table: users(email unique, name).",
        "Share of orders that were returned, by country. Tables: orders(id, country), returns(order_id).",
        "The longest streak of daily logins per user. Table: logins(user_id, day).",
    ],
    "summary": [
        "The board met on Tuesday. It approved the budget with two votes against, postponed the new warehouse to the autumn, and asked the operations team for a plan to cut delivery times by a fifth before the end of May.",
        "After the update at 02:10 the payment service answered one request in eight with an error. The change was rolled back at 02:34. No payment was lost; 312 customers had to try again. The cause was a missing index.",
        "The tenant reports that the heating on the second floor fails each night at about three and comes back by itself at six. The boiler was serviced in October. Two other tenants have seen the same.",
        "We tested four glues on wet beech. Two let go within a day. The third held but turned yellow. The fourth, a polyurethane, held for six weeks in water and is only slightly dearer than the others.",
        "The new timetable adds one train per hour between seven and nine, but drops the stop at the hospital. The city asks for comments until the 15th; a petition to keep the stop has 2,000 signatures.",
        "Participants who wrote a list of the next day's tasks fell asleep nine minutes earlier than those who wrote about what they had done. The more exact the list, the larger the difference.",
        "The supplier raises prices by 6 % from the first of the month, keeps the old ones for orders placed before, and offers a 3 % discount for yearly contracts.",
        "The reviewer likes the keyboard and the screen, finds the battery weak at five hours, and advises waiting for the model with the new processor unless the discount is above 20 %.",
        "The river rose by 40 cm overnight and is expected to peak on Friday at 5.2 m, below the walls of 5.8 m. The lower car park is closed; buses 4 and 9 take another way.",
        "Our survey had 1,140 answers. Most people want fewer e-mails, a third did not know that the app has a dark mode, and almost nobody uses the calendar.",
    ],
    "zh": [
        "怎样提高英语口语？",
        "请解释一下什么是机器学习。",
        "写一封向客户道歉的邮件，原因是发货延迟。",
        "西红柿炒鸡蛋怎么做？",
        "Python 里列表和元组有什么区别？",
        "北京三日游有什么推荐？",
        "如何准备一次技术面试？",
        "把这句话改得更正式：这个东西不行，你们赶紧换一个。",
        "什么是 Redis 的缓存穿透，怎么避免？",
        "请给我一个每周三次的健身计划。",
        "用一句话解释通货膨胀。",
        "MySQL 的索引为什么会失效？",
        "给新开的咖啡店想五个名字。",
        "孩子不爱吃蔬菜怎么办？",
        "请写一首关于秋天的短诗。",
        "租房合同要注意哪些条款？",
        "HTTP 和 HTTPS 有什么区别？",
        "如何用 Excel 统计重复的数据？",
        "晚上总是睡不着，有什么办法？",
        "请介绍一下杭州的历史。",
    ],
    "general": [
        "What is the capital of Australia?",
        "Explain photosynthesis to a ten-year-old.",
        "Give me five ideas for a rainy Sunday with children.",
        "How do vaccines work?",
        "Why is the sky blue?",
        "Plan a vegetarian dinner for six people.",
        "What is the difference between weather and climate?",
        "How much water should a person drink in a day?",
        "Write a short birthday message for a colleague.",
        "What are the rules of offside in football?",
        "How do I remove a coffee stain from a cotton shirt?",
        "Explain compound interest with a small example.",
        "Suggest a title for a talk about caching answers of language models.",
        "What should I check before buying a used bicycle?",
        "How does a heat pump work?",
        "Name three novels that are set on an island.",
        "What is a good way to learn the guitar at forty?",
        "How do noise-cancelling headphones work?",
        "What happens if I plug a 110 V device into 230 V?",
        "Write a polite reminder for an unpaid invoice.",
        "How long do boiled eggs keep in the fridge?",
        "Explain the prisoner's dilemma in four sentences.",
        "Which houseplants survive in a dark room?",
    ],
}


def distinct_requests():
    """One body for each prompt; settings go with the kind, as they do in an application."""
    for kind, prompts in PROMPTS.items():
        for prompt in prompts:
            messages = [{"role": "user", "content": prompt}]
            if SYSTEMS[kind]:
                messages.insert(0, {"role": "system", "content": SYSTEMS[kind]})
            body = {"model": MODEL, "messages": messages}
            if kind in ("sql", "translate"):
                body["temperature"] = 0
            if kind == "summary":
                body["max_tokens"] = 120
            if kind == "code":
                body["temperature"] = 0.2
                body["top_p"] = 0.95
            yield body


def shuffled(members, chance):
    items = list(members.items())
    chance.shuffle(items)
    return dict(items)


def main():
    chance = random.Random(SEED)
    bodies = list(distinct_requests())
    chance.shuffle(bodies)
    weights = [1 / (rank + 1) ** EXPONENT for rank in range(len(bodies))]
    # Every prompt once, the rest by popularity, all in random order.
    log = bodies + chance.choices(bodies, weights, k=LINES - len(bodies))
    chance.shuffle(log)
    for body in log:
        line = dict(body)
        if chance.random() < 0.3:
            line["stream"] = True
            if chance.random() < 0.5:
                line["stream_options"] = {"include_usage": True}
        if chance.random() < 0.25:
            line["user"] = f"user-{chance.randrange(40)}"
        line["messages"] = [shuffled(message, chance) for message in line["messages"]]
        print(json.dumps(shuffled(line, chance), ensure_ascii=False))


if __name__ == "__main__":
    main()
