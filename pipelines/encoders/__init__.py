"""Encoders: the networks that turn frames into points of the identity space.

One module builds the network (`ecapa`), one reads a checkpoint with its card (`checkpoint`), one
fetches known networks from a hub (`hub`), and one names them (`table`). Torch is imported only when
an encoder is loaded.
"""
