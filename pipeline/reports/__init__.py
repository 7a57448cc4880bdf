"""What a person reads about a model or a run: HTML pages and a Markdown model card.

Renderers are pure functions from frozen dataclasses to text; reading files is
their callers' business. Everything that came out of a corpus is untrusted: the
templates escape by default, and the pages forbid scripts and outside resources.
"""
