"""A model in this process as one of LiteLLM's providers, called like any other."""

from __future__ import annotations

from typing import Any

from dynlab._util.errors import InputError
from dynlab.models.llama_cpp import Answer, Endpoint

_served: dict[str, Answer] = {}  # by the models' names


def provide(litellm: Any, endpoint: Endpoint) -> None:
    """Tells LiteLLM (the module) to ask `endpoint.answer` for the endpoint's model.

    One provider may serve several models; a name that is served already is served anew.
    """
    provider, _, served = endpoint.litellm_model.partition("/")
    assert endpoint.answer is not None
    _served[served] = endpoint.answer

    class InProcess(litellm.CustomLLM):  # type: ignore[misc]
        async def acompletion(
            self, model: str, messages: list[Any], optional_params: dict[str, Any], **_: object
        ) -> Any:
            try:
                return litellm.ModelResponse(**await _served[model](messages, optional_params))
            except InputError as error:
                raise litellm.BadRequestError(str(error), model, provider) from None

    others = [known for known in litellm.custom_provider_map if known["provider"] != provider]
    litellm.custom_provider_map = [*others, {"provider": provider, "custom_handler": InProcess()}]
    litellm.utils.custom_llm_setup()
