"""Corpora: documents on their way from the bytes of a file to rows of predictions.

The packages, each of which may import the ones above it:

- `reading`: finds the input files, divides them into parts and units of work, and turns bytes
  into lines. `check_rows` makes each raw row a document or a rejection; `accounting` checks that
  rows read = rows used + rows rejected.
- `formats`: one module for each file format, which turns bytes into raw rows. `read_part` chooses
  the module and calls `check_rows`.
- `preparing`: documents -> the dataset to train on: splits, labels, duplicates, encoding.
- `scoring`: documents -> predictions, with output columns, counts and examples for the report.

Every row that a file holds becomes a document, or a rejection with its reason. Nothing here
imports Beam.

What counts as a row, and therefore as one in `source_row`:

==========  =====================================================================
jsonl       a line; a blank one (nothing but white space) is not a row
csv         a record, which may span lines; neither a blank line nor the header is
            a row
parquet     a row
text        a line, also a blank one (rejected as `empty_text`), or a file
tfrecord    a record
semeval     a sentence with the lines that belong to it
trec        a line; a blank one is not a row
==========  =====================================================================

If a file becomes unreadable (a truncated gzip file, a TFRecord with a damaged length), the rows
before that point are used and the rest of the file counts as one `malformed_row`.
"""
