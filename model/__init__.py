"""What becomes of one document: text -> tokens -> ids -> network -> prediction."""
