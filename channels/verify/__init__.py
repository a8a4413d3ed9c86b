"""`channels verify`: does the stored data keep the promises?

What it promises: it reads states that were committed, so a busy server gives no false alarm; without `repair` it writes
nothing. With it, it sets right what other records tell, in transactions that look again before they write, and then
checks everything once more.

What it depends on: the audits of the packages (`groups.audit` and its siblings).
"""
