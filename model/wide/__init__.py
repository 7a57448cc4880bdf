"""The wide part: a linear model over tokens, bigrams and character n-grams beside the network."""
