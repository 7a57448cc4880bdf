"""Reports: HTML pages of a model, a run, a dataset or a comparison, and the model card.

`collect` reads the files that a run left into a frozen dataclass; a renderer makes text from it
and reads no file. A page `x_report` is made by `x_report.py` and `x_report.html`; tables and
charts that several pages show are in `parts.html` and `charts.html`, and the confusion matrix is in
`confusion_matrix.py` and `confusion_matrix.html`.

Everything that came out of a corpus is untrusted: the templates escape every value, and the pages
forbid scripts and outside resources.
"""
