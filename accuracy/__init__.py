"""What a block format costs in accuracy: on a real transformer, and on a user's own tensors."""
