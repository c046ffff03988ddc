"""Chat templates as the makers of models published them, from the source of our binding."""

from bootstrap.engine_source import kept_templates, prepare_templates

prepare_templates()
TEMPLATES = {
    path.stem: path.read_text("utf-8") for path in sorted(kept_templates().glob("*.jinja"))
}
"""Name as llama.cpp has it → source."""

OF_THE_CATALOGUE = {
    "Qwen-Qwen2.5-7B-Instruct": "hermes",
    "Qwen-Qwen3-0.6B": "hermes",
    "meta-llama-Llama-3.1-8B-Instruct": "llama",
    "meta-llama-Llama-3.2-3B-Instruct": "llama",
    "google-gemma-4-31B-it": "gemma",
    "openai-gpt-oss-120b": "gpt-oss",
}
"""Name → the family of its calls."""

PHI = (
    "{%- for m in messages %}{{- '<|' + m.role + '|>' + m.content }}"
    "{%- if m.role == 'system' and m.tools %}{{- '<|tool|>' + m.tools + '<|/tool|>' }}{%- endif %}"
    "{{- '<|end|>' }}{%- endfor %}{{- '<|assistant|>' }}"
)
"""In the form of Phi-4-mini's, which takes tools from the system's turn and writes no calls."""
