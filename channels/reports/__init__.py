"""Reports of abuse: users report posts, messages, channels, groups and users; the application's admins decide.

Not to be confused with delivery reports (`channels.post_reports`), which count whom a post reached.

Promises:
    The reporter stays hidden: no answer, event, log or count names who reported, or shows what only one person could
        have reported. When a case is resolved, the records of who reported it are deleted.
    One case: all reports of one thing are one case while it is open, and each user counts once in it.
    Exact: the counts of a case equal the records, and the limit of reports a day holds, under any race. A case is
        resolved once; the suspension, the restriction or the deletion is committed with the resolution.
    Flat: nobody pays for reports but who reports and who reads the queue. Many who report one post at once share
        transactions (group commit by target).
"""
