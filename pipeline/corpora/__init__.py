"""From the bytes of a file to record batches of documents and rejections.

`reading.read_part` is the entry. A format module (`jsonl`, `csv`, `parquet`,
`text`, `tfrecord`, `semeval`, `trec`) turns bytes into `documents.RawRows`, the
rows as the format gives them; `documents.check_rows` turns those into a
`ReadBatch`, value by value as `values` says. `streams` knows compression,
encodings and lines, `parts` how a large file is divided.

Nothing is lost silently: every row that a file holds comes back as a document or
as a rejection with its reason. Nothing here imports Beam.

What a row is, and so how `source_row` counts:

==========  =====================================================================
jsonl       a line; a blank one (nothing but white space) is not a row
csv         a record, which may span lines; a blank line is not a row, nor is the
            header
parquet     a row
text        a line, a blank one included (rejected as `empty_text`), or a file
tfrecord    a record
semeval     a sentence with the lines that belong to it
trec        a line; a blank one is not a row
==========  =====================================================================

Where a file becomes unreadable (a truncated gzip, a TFRecord whose framing is
broken), the rows before that point are used and the rest of the file counts as
one `malformed_row`.
"""
