"""Who may do what in the console, and a record of what was done.

`roles` names the rights, `book` keeps people, sessions and tokens, `audit` the chain of what they
did, `limiter` slows a guesser down, `passwords` hashes. None of them knows HTTP.
"""
