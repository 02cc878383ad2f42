"""The assistant's schooling: a corpus checked, a Llama tuned, arms compared, a bundle made."""
