"""The command line: one module a command, and what the commands share.

`app`, `grammar`, `options` and the modules of the commands import Beam, Rich and the stages inside
functions, so that help, completion and a mistyped option need none of them.
"""
