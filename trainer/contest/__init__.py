"""The contest: a challenger, trained on the grown data, against the champion it would replace."""
