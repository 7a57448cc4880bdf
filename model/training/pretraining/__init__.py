"""Pretraining: embedding and LSTM of a classifier, learned from text without labels."""
