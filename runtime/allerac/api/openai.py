"""OpenAI's API over our engine: `/v1/models`, `/v1/chat/completions`."""

from fastapi.responses import StreamingResponse

from allerac.errors import NotFound

from .auth import Program
from .openai_answers import answer_chunks, whole_answer
from .openai_requests import messages_of, required_tools_of, sampling_of, tools_of
from .routing import router_at
from .schemas import openai as shape
from .services import ServicesOf
from .sse import EVENT_STREAM_HEADERS, with_pings

router = router_at("/v1", "openai")


@router.get("/models", operation_id="openaiListModels")
async def list_models(_: Program, services: ServicesOf) -> shape.ModelObjectList:
    """List the models on board."""
    models = await services.completions.list_models()
    data = [shape.ModelObject(id=model.id, created=model.created) for model in models]
    return shape.ModelObjectList(data=data)


@router.get("/models/{model_id:path}", operation_id="openaiGetModel")
async def get_model(model_id: str, _: Program, services: ServicesOf) -> shape.ModelObject:
    """Tell about one model on board."""
    for model in await services.completions.list_models():
        if model.id == model_id:
            return shape.ModelObject(id=model.id, created=model.created)
    raise NotFound(f"The model “{model_id[:128]}” is not on this box.")


@router.post(
    "/chat/completions",
    operation_id="openaiChatCompletions",
    response_model=shape.ChatCompletion,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def chat_completions(
    body: shape.ChatCompletionRequest, principal: Program, services: ServicesOf
) -> shape.ChatCompletion | StreamingResponse:
    """Answer a list of messages, at once or as a stream."""
    completion = await services.completions.begin(
        principal.person.id,
        model_id=body.model,
        messages=messages_of(body),
        sampling=await sampling_of(body),
        number=body.n or 1,
        tools=tools_of(body),
        required_tools=required_tools_of(body),
    )
    if not body.stream:
        return await whole_answer(completion)
    include_usage = body.stream_options is not None and body.stream_options.include_usage
    frames = services.accounts.while_signed_in(principal, answer_chunks(completion, include_usage))
    return StreamingResponse(
        with_pings(frames), media_type="text/event-stream", headers=EVENT_STREAM_HEADERS
    )
