"""A model in this process that answers from a script and remembers every call: what a scripted
server is, without the HTTP between.
"""

from __future__ import annotations

import asyncio

from dynlab.models.llama_cpp import Endpoint
from helpers.scripted_server import Call, Reply, Script, payload


class ScriptedModel:
    """`model = ScriptedModel(script)` … `model.endpoint()`, `model.calls`."""

    def __init__(self, script: Script = lambda call: "answer"):
        self.script = script
        self.calls: list[Call] = []  # every call that arrived

    def endpoint(self, **card: str) -> Endpoint:
        """Where LiteLLM finds it, for prompts in completion form."""
        return Endpoint("text-completion-openvino/scripted", "", card=card, answer=self)

    async def __call__(self, messages, options):
        body = {"model": "scripted", "messages": messages, **options}
        call = Call(len(self.calls), "in process/chat/completions", body, {})
        self.calls.append(call)
        reply = self.script(call)
        reply = Reply(reply) if isinstance(reply, str) else reply
        assert reply.status == 200 and not reply.drop, "only a server can fail"
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        return payload(call, reply)
