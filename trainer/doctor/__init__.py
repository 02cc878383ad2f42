"""The data doctor: what is wrong with labelled pictures, before a model learns from them."""
