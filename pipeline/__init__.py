"""How millions of documents flow: Beam, Arrow, files, runs, the command line."""
