"""Requests of every dialect, built around a prompt."""

MODEL = "scripted"
PATH = {
    "chat": "/v1/chat/completions", "completions": "/v1/completions", "embeddings": "/v1/embeddings",
    "responses": "/v1/responses", "messages": "/v1/messages",
}
STREAMING = ("chat", "completions", "responses", "messages")


def body(dialect, prompt, **members):
    """A plain request of a dialect."""
    base = {
        "chat": {"messages": [{"role": "user", "content": prompt}]},
        "completions": {"prompt": prompt},
        "embeddings": {"input": prompt},
        "responses": {"input": prompt, "store": False},
        "messages": {"messages": [{"role": "user", "content": prompt}], "max_tokens": 64},
    }[dialect]
    return {"model": MODEL} | base | members


def headers(dialect, key="test-key"):
    if dialect == "messages":
        return [("x-api-key", key), ("anthropic-version", "2023-06-01")]
    return [("Authorization", f"Bearer {key}")]
