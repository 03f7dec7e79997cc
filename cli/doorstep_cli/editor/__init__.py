"""Help in editors: what is wrong with a definition, what may stand where, what a name means.

`server.py` speaks the language server protocol; the other modules know nothing of it. All of them
work on text that is broken, since text that is being typed mostly is.
"""
