"""Asks a chat model twice through the openai package, and shows where each answer came from.

usage: OPENAI_BASE_URL=http://127.0.0.1:8400/v1 OPENAI_API_KEY=… python3 ask.py "a question"
"""

import sys
import time

from openai import OpenAI

client = OpenAI()
question = sys.argv[1] if len(sys.argv) > 1 else "What is a refrain?"

for attempt in ("first", "second"):
    started = time.perf_counter()
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": question}]
    )
    milliseconds = (time.perf_counter() - started) * 1000
    answer = raw.parse()
    print(f"{attempt}: {raw.headers['x-refrain-cache']} in {milliseconds:.0f} ms, {answer.usage.total_tokens} tokens")
    print(f"  {answer.choices[0].message.content[:70]}…")
