"""Documents that say the same: exactly, nearly, or in another spelling, across all franchises.

`sign.sign` hashes the texts that were never hashed before, `matches.find_matches` names the pairs
with their similarity, `choice.choose` says which documents go, `components.connected` what must
stay on one side of a split. All are functions of what they are given: the order of files, rows and
runs changes nothing. Nothing is imported here, so that `policy` comes without Daft.
"""
