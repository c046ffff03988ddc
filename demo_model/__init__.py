"""The demonstration model: generated text, a small llama network, training, a GGUF file."""
