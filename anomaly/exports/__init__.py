"""Taking data away in the formats that other people's tools read.

`columns` says what a row holds, `formats` which formats there are; each format has a module of its
own, which turns what is taken into pieces of bytes, one after the other.
"""
