"""Who may make which call, and what others are answered (P9).

`tests/server/test_permission_matrix.py` makes every call of these tables as every actor over HTTP. So the tables, and
the page of the guides that is made of them, are what the server does.

A cell is the whole truth of one call: `ok` is the call's own success, anything else one refusal (see `MEANING`). A word
in braces is a fresh target: a `member`, `nobody` for a user who is no member, and so on. A word behind the path names
the body that is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MEANING: Final = {
    "-": (403, "permission_denied"),
    "write": (403, "posting_not_allowed"),
    "muted": (403, "muted"),
    "ban": (403, "banned"),
    "fixed": (409, "fixed_in_channel"),
    "owner": (409, "owner_cannot_leave"),
    "none": (404, "member_not_found"),
    "asks": (404, "join_request_not_found"),
    "uninv": (404, "invitation_not_found"),
    "404c": (404, "channel_not_found"),
    "404g": (404, "group_not_found"),
    "404v": (404, "conversation_not_found"),
    "404m": (404, "message_not_found"),
    "shut": (403, "messages_not_accepted"),
    "off": (409, "clicks_not_counted"),
    "own": (409, "own_acknowledgement"),
    "biz": (403, "business_account"),
    "shop": (409, "not_a_person"),
}
"""What a cell says, but `ok`. `asks`: nobody asks to join here; `none`: the target is no member; `404`: as if absent;
`shut`: the channel takes no messages from the user, or the user none from the channel; `biz`: only a person may;
`shop`: the target is a business account; `off`: the channel does not count clicks; `own`: it is the
user's own message."""

ACTORS: Final = ["stranger", "subscriber", "muted", "banned", "admin", "owner", "other", "app"]
"""`other` owns another channel; `app` is the application's own back end, no member here."""

SHUT_OUT: Final = {"stranger", "banned", "other"}
"""The actors for whom a private channel does not exist."""

CHANNEL: Final = """
                                          stranger subscriber muted  banned admin  owner  other  app
GET    /                                  ok       ok         ok     ok     ok     ok     ok     ok
GET    /share-link                        ok       ok         ok     ok     ok     ok     ok     ok
PATCH  / introduction                     -        -          -      -      ok     ok     -      ok
DELETE /                                  -        -          -      -      -      ok     -      ok
PUT    /verified                          -        -          -      -      -      -      -      ok
DELETE /verified                          -        -          -      -      -      -      -      ok
PUT    /default                           -        -          -      -      -      -      -      ok
DELETE /default                           -        -          -      -      -      -      -      ok
PUT    /suspension suspended              -        -          -      -      -      -      -      ok
DELETE /suspension                        -        -          -      -      -      -      -      ok
GET    /reports                           -        -          -      -      ok     ok     -      ok
PUT    /subscription                      ok       ok         ok     ban    ok     ok     ok     ok
DELETE /subscription                      ok       ok         ok     ok     ok     owner  ok     ok
GET    /subscribers                       -        -          -      -      ok     ok     -      ok
POST   /subscribers lines                 -        -          -      -      -      -      -      ok
PUT    /subscribers/{nobody}              -        -          -      -      ok     ok     -      ok
PUT    /subscribers/{banned}              -        -          -      -      ok     ok     -      ok
PUT    /subscribers/{member}/tags tags    -        -          -      -      ok     ok     -      ok
GET    /subscriber-tags                   -        -          -      -      ok     ok     -      ok
POST   /subscriber-tags tag-lines         -        -          -      -      ok     ok     -      ok
DELETE /subscribers/{member}              -        -          -      -      ok     ok     -      ok
DELETE /subscribers/{member}?ban=true     -        -          -      -      ok     ok     -      ok
DELETE /subscribers/{member} banning      -        -          -      -      ok     ok     -      ok
DELETE /subscribers/{admin}               -        -          -      -      -      ok     -      ok
DELETE /subscribers/{owner}               -        -          -      -      -      -      -      owner
GET    /bans                              -        -          -      -      ok     ok     -      ok
DELETE /bans/{banned}                     -        -          -      -      ok     ok     -      ok
GET    /admins                            -        -          -      -      ok     ok     -      ok
PUT    /admins/{member}                   -        -          -      -      -      ok     -      ok
PUT    /admins/{admin} grants             -        -          -      -      -      ok     -      ok
PUT    /admins/{nobody}                   -        -          -      -      none   none   -      none
DELETE /admins/{admin}                    -        -          -      -      -      ok     -      ok
POST   /invitations nobody                -        -          -      -      -      ok     -      ok
GET    /invitations                       -        -          -      -      ok     ok     -      ok
DELETE /invitations/{nobody}              -        -          -      -      ok     ok     -      ok
POST   /invitations/me accept             uninv    uninv      uninv  ban    ok     ok     uninv  uninv
POST   /invite-links link                 -        -          -      -      ok     ok     -      ok
GET    /invite-links                      -        -          -      -      ok     ok     -      ok
GET    /invite-links/{link}               -        -          -      -      ok     ok     -      ok
PATCH  /invite-links/{link} named         -        -          -      -      ok     ok     -      ok
DELETE /invite-links/{link}               -        -          -      -      ok     ok     -      ok
GET    /join-requests                     -        -          -      -      ok     ok     -      ok
POST   /join-requests asked               -        -          -      -      ok     ok     -      ok
POST   /join-requests/{asker} approve     -        -          -      -      ok     ok     -      ok
POST   /join-requests/{nobody} approve    -        -          -      -      asks   asks   -      asks
DELETE /join-requests/me                  asks     asks       asks   asks   asks   asks   asks   asks
GET    /reaction-bans                     -        -          -      -      ok     ok     -      ok
PUT    /reaction-bans/{member}            -        -          -      -      ok     ok     -      ok
PUT    /reaction-bans/{admin}             -        -          -      -      -      ok     -      ok
DELETE /reaction-bans/{member}            -        -          -      -      ok     ok     -      ok
GET    /comment-bans                      -        -          -      -      ok     ok     -      ok
PUT    /comment-bans/{member}             -        -          -      -      ok     ok     -      ok
PUT    /comment-bans/{admin}              -        -          -      -      -      ok     -      ok
DELETE /comment-bans/{member}             -        -          -      -      ok     ok     -      ok
GET    /admin-log                         -        -          -      -      ok     ok     -      ok
POST   /owner member                      -        -          -      -      -      ok     -      ok
POST   /posts text                        write    write      write  ban    ok     ok     write  ok
POST   /posts/preview text                write    write      write  ban    ok     ok     write  ok
GET    /posts                             ok       ok         ok     ban    ok     ok     ok     ok
GET    /posts/{post}                      ok       ok         ok     ban    ok     ok     ok     ok
PATCH  /posts/{post} text                 write    write      write  ban    ok     ok     write  ok
DELETE /posts/{post}                      -        -          -      ban    ok     ok     -      ok
PUT    /posts/{post}/reactions/👍         -        ok         ok     ban    ok     ok     -      -
DELETE /posts/{post}/reactions/👍         -        ok         ok     ban    ok     ok     -      -
GET    /posts/{post}/reactions            ok       ok         ok     ban    ok     ok     ok     ok
GET    /posts/{post}/reactions/👍         -        -          -      ban    ok     ok     -      ok
PUT    /posts/{poll}/vote vote            -        ok         ok     ban    ok     ok     -      -
DELETE /posts/{poll}/vote                 -        ok         ok     ban    ok     ok     -      -
POST   /posts/{poll}/poll/close           write    write      write  ban    ok     ok     write  ok
PUT    /posts/{asking}/acknowledgement    -        ok         ok     ban    ok     own    -      -
GET    /posts/{asking}/acknowledgements   -        -          -      ban    ok     ok     -      ok
POST   /posts/{asking}/acknowledgements/reminder - -          -      ban    ok     ok     -      ok
PUT    /posts/{buttons}/buttons/0/press   -        ok         ok     ban    ok     ok     -      -
POST   /posts silent                      write    write      write  ban    ok     ok     write  ok
POST   /posts forward                     write    write      write  ban    ok     ok     write  ok
POST   /posts/preview text                write    write      write  ban    ok     ok     write  ok
POST   /posts/preview forward             write    write      write  ban    ok     ok     write  ok
PUT    /posts/{post}/pin                  -        -          -      ban    ok     ok     -      ok
DELETE /posts/{post}/pin                  -        -          -      ban    ok     ok     -      ok
GET    /pins                              ok       ok         ok     ban    ok     ok     ok     ok
PUT    /posts/{post}/reactions-freeze     -        -          -      ban    ok     ok     -      ok
DELETE /posts/{post}/reactions-freeze     -        -          -      ban    ok     ok     -      ok
PUT    /posts/{post}/comments-freeze      -        -          -      ban    ok     ok     -      ok
DELETE /posts/{post}/comments-freeze      -        -          -      ban    ok     ok     -      ok
POST   /posts/{post}/comments text        -        ok         muted  ban    ok     ok     -      ok
POST   /posts/{post}/comments as-channel  -        -          -      ban    ok     ok     -      ok
GET    /posts/{commented}/comments        ok       ok         ok     ban    ok     ok     ok     ok
GET    /posts/{commented}/comments/1      ok       ok         ok     ban    ok     ok     ok     ok
PATCH  /posts/{commented}/comments/1 text -        -          muted  ban    -      -      -      -
DELETE /posts/{commented}/comments/1      -        -          -      ban    ok     ok     -      ok
PUT    /posts/{commented}/comments/1/reactions/👍 - ok        ok     ban    ok     ok     -      ok
DELETE /posts/{commented}/comments/1/reactions/👍 ok ok       ok     ban    ok     ok     ok     ok
POST   /drafts draft                      write    write      write  ban    ok     ok     write  ok
GET    /drafts                            write    write      write  ban    ok     ok     write  ok
GET    /drafts/{draft}                    write    write      write  ban    ok     ok     write  ok
PATCH  /drafts/{draft} draft              write    write      write  ban    ok     ok     write  ok
DELETE /drafts/{draft}                    write    write      write  ban    ok     ok     write  ok
POST   /drafts/{draft}/publish            write    write      write  ban    ok     ok     write  ok
POST   /posts/views seen                  ok       ok         ok     ban    ok     ok     ok     ok
POST   /posts/{post}/clicks clicked       off      off        off    ban    off    off    off    off
GET    /posts/{post}/clicks               -        -          -      -      ok     ok     -      ok
GET    /insights                          -        -          -      -      ok     ok     -      ok
GET    /insights/posts                    -        -          -      -      ok     ok     -      ok
POST   /webhooks hook                     -        -          -      -      ok     ok     -      ok
GET    /webhooks                          -        -          -      -      ok     ok     -      ok
GET    /webhooks/{webhook}                -        -          -      -      ok     ok     -      ok
PATCH  /webhooks/{webhook} paused         -        -          -      -      ok     ok     -      ok
DELETE /webhooks/{webhook}                -        -          -      -      ok     ok     -      ok
POST   /webhooks/{webhook}/rotate-secret  -        -          -      -      ok     ok     -      ok
POST   /webhooks/{webhook}/test           -        -          -      -      ok     ok     -      ok
GET    /webhooks/{webhook}/deliveries     -        -          -      -      ok     ok     -      ok
GET    /webhooks/{webhook}/deliveries/{delivery} - -          -      -      ok     ok     -      ok
POST   /webhooks/{webhook}/deliveries/{delivery}/replay - -   -      -      ok     ok     -      ok
POST   /webhooks/{webhook}/replay since   -        -          -      -      ok     ok     -      ok
GET    /posts/{post}/report               -        -          -      -      ok     ok     -      ok
POST   /broadcasts text                   -        -          -      -      ok     ok     -      ok
GET    /broadcasts                        -        -          -      -      ok     ok     -      ok
POST   /broadcasts/audience segment       -        -          -      -      ok     ok     -      ok
GET    /broadcasts/{broadcast}            -        -          -      -      ok     ok     -      ok
POST   /broadcasts/{broadcast}/stop       -        -          -      -      ok     ok     -      ok
POST   /broadcasts/{broadcast}/resume     -        -          -      -      ok     ok     -      ok
GET    /broadcasts/{broadcast}/not-reached -       -          -      -      ok     ok     -      ok
GET    /broadcast-opt-out                 ok       ok         ok     ok     ok     ok     ok     ok
PUT    /broadcast-opt-out                 ok       ok         ok     ok     ok     ok     ok     ok
DELETE /broadcast-opt-out                 ok       ok         ok     ok     ok     ok     ok     ok
GET    /canned-replies                    -        -          -      -      ok     ok     -      ok
PUT    /canned-replies/{reply} reply      -        -          -      -      ok     ok     -      ok
DELETE /canned-replies/{reply}            -        -          -      -      ok     ok     -      ok
GET    /forms                             ok       ok         ok     ok     ok     ok     ok     ok
GET    /forms/{form}                      ok       ok         ok     ok     ok     ok     ok     ok
PUT    /forms/{form} form                 -        -          -      -      ok     ok     -      ok
DELETE /forms/{form}                      -        -          -      -      ok     ok     -      ok
POST   /forms/{form}/answers filled       shut     ok         muted  ban    ok     ok     shut   ok
GET    /menu                              ok       ok         ok     ok     ok     ok     ok     ok
PUT    /menu menu                         -        -          -      -      ok     ok     -      ok
DELETE /menu                              -        -          -      -      ok     ok     -      ok
POST   /menu/selections selected          shut     ok         muted  ban    ok     ok     shut   ok
GET    /greeting                          -        -          -      -      ok     ok     -      ok
PUT    /greeting greeting                 -        -          -      -      ok     ok     -      ok
DELETE /greeting                          -        -          -      -      ok     ok     -      ok
GET    /auto-replies                      -        -          -      -      ok     ok     -      ok
GET    /auto-replies/{answer}             -        -          -      -      ok     ok     -      ok
PUT    /auto-replies/{answer} answer      -        -          -      -      ok     ok     -      ok
DELETE /auto-replies/{answer}             -        -          -      -      ok     ok     -      ok
GET    /opening-hours                     -        -          -      -      ok     ok     -      ok
PUT    /opening-hours hours               -        -          -      -      ok     ok     -      ok
DELETE /opening-hours                     -        -          -      -      ok     ok     -      ok
GET    /inbox                             -        -          -      -      ok     ok     -      ok
GET    /inbox/unread                      -        -          -      -      ok     ok     -      ok
GET    /inbox/{writer}/messages           -        -          -      -      ok     ok     -      ok
GET    /inbox/{writer}/messages/1         -        -          -      -      ok     ok     -      ok
POST   /inbox/{writer}/messages text      -        -          -      -      ok     ok     -      ok
POST   /inbox/{writer}/messages forward   -        -          -      -      ok     ok     -      ok
POST   /inbox/{member}/messages text      -        -          -      -      ok     ok     -      ok
POST   /inbox/{nobody}/messages text      -        -          -      -      shut   shut   -      shut
POST   /inbox/messages many               -        -          -      -      -      -      -      ok
PATCH  /inbox/{writer}/messages/1 text    -        -          -      -      -      -      -      -
PATCH  /inbox/{writer}/messages/2 text    -        -          -      -      ok     ok     -      ok
DELETE /inbox/{writer}/messages/1         -        -          -      -      -      -      -      -
DELETE /inbox/{writer}/messages/2         -        -          -      -      ok     ok     -      ok
PUT    /inbox/{writer}/messages/1/reactions/👍 -   -          -      -      ok     ok     -      ok
DELETE /inbox/{writer}/messages/1/reactions/👍 -   -          -      -      ok     ok     -      ok
GET    /inbox/tags                        -        -          -      -      ok     ok     -      ok
PUT    /inbox/{writer}/tags tags          -        -          -      -      ok     ok     -      ok
POST   /inbox/{writer}/read               -        -          -      -      ok     ok     -      ok
"""

DIALOGUE: Final = """
                                          stranger subscriber muted  banned admin  owner  other  app
GET    /                                  404v     ok         404v   404v   ok     ok     404v   ok
PATCH  / pinned                           404v     ok         404v   404v   ok     ok     404v   ok
DELETE /                                  404v     ok         404v   404v   ok     ok     404v   ok
POST   /read                              404v     ok         404v   404v   ok     ok     404v   ok
GET    /messages                          ok       ok         ok     ok     ok     ok     ok     ok
GET    /messages?with_posts=true          ok       ok         ok     ban    ok     ok     ok     ok
POST   /messages text                     shut     ok         muted  ban    ok     ok     shut   ok
GET    /messages/1                        404m     ok         404m   404m   ok     ok     404m   ok
PATCH  /messages/1 text                   404m     ok         404m   404m   ok     ok     404m   ok
PATCH  /messages/2 text                   404m     -          404m   404m   -      -      404m   -
DELETE /messages/1                        404m     ok         404m   404m   ok     ok     404m   ok
DELETE /messages/2                        404m     -          404m   404m   -      -      404m   -
PUT    /messages/2/reactions/👍           404m     ok         404m   404m   ok     ok     404m   ok
DELETE /messages/2/reactions/👍           404m     ok         404m   404m   ok     ok     404m   ok
PUT    /messages/2/buttons/0/press        404m     ok         404m   404m   ok     ok     404m   ok
"""
"""A user's own dialogue with a channel; those who may had written, and were answered."""

CHANNEL_AS_GROUP: Final = """
                                          stranger subscriber muted  banned admin  owner  other  app
GET    /                                  ok       ok         ok     ok     ok     ok     ok     ok
PATCH  / introduction                     -        -          -      -      ok     ok     -      ok
PATCH  / posting                          -        -          -      -      fixed  fixed  -      fixed
DELETE /                                  -        -          -      -      -      ok     -      ok
PUT    /members/me                        ok       ok         ok     ban    ok     ok     ok     ok
DELETE /members/me                        ok       ok         ok     ok     ok     owner  ok     ok
GET    /members                           -        -          -      -      ok     ok     -      ok
GET    /members/me                        none     ok         ok     none   ok     ok     none   none
GET    /members/{member}                  -        -          -      -      ok     ok     -      ok
PUT    /members/{nobody}                  -        -          -      -      ok     ok     -      ok
PATCH  /members/me card                   none     ok         ok     none   ok     ok     none   none
PATCH  /members/me unmute                 none     -          -      none   -      -      none   none
PATCH  /members/{member} role             -        -          -      -      -      ok     -      ok
PATCH  /members/{member} mute             -        -          -      -      ok     ok     -      ok
PATCH  /members/{member} card             -        -          -      -      ok     ok     -      ok
PATCH  /members/{admin} mute              -        -          -      -      -      ok     -      ok
PATCH  /members/{owner} mute              -        -          -      -      -      -      -      -
DELETE /members/{member}                  -        -          -      -      ok     ok     -      ok
DELETE /members/{member}?ban=true         -        -          -      -      ok     ok     -      ok
DELETE /members/{member} banning          -        -          -      -      ok     ok     -      ok
DELETE /members/{admin}                   -        -          -      -      -      ok     -      ok
DELETE /members/{owner}                   -        -          -      -      -      -      -      owner
GET    /bans                              -        -          -      -      ok     ok     -      ok
DELETE /bans/{banned}                     -        -          -      -      ok     ok     -      ok
GET    /join-requests                     -        -          -      -      ok     ok     -      ok
POST   /join-requests asked               -        -          -      -      ok     ok     -      ok
POST   /join-requests/{asker} approve     -        -          -      -      ok     ok     -      ok
POST   /join-requests/{nobody} approve    -        -          -      -      asks   asks   -      asks
DELETE /join-requests/me                  asks     asks       asks   asks   asks   asks   asks   asks
GET    /invitations                       -        -          -      -      ok     ok     -      ok
DELETE /invitations/{nobody}              -        -          -      -      ok     ok     -      ok
POST   /invitations/me accept             uninv    uninv      uninv  ban    ok     ok     uninv  uninv
POST   /invite-links link                 -        -          -      -      ok     ok     -      ok
GET    /invite-links                      -        -          -      -      ok     ok     -      ok
GET    /invite-links/{link}               -        -          -      -      ok     ok     -      ok
PATCH  /invite-links/{link} named         -        -          -      -      ok     ok     -      ok
DELETE /invite-links/{link}               -        -          -      -      ok     ok     -      ok
POST   /owner member                      -        -          -      -      -      ok     -      ok
POST   /messages text                     write    write      write  ban    ok     ok     write  ok
GET    /messages                          ok       ok         ok     ban    ok     ok     ok     ok
GET    /messages/{post}                   ok       ok         ok     ban    ok     ok     ok     ok
PATCH  /messages/{post} text              write    write      write  ban    ok     ok     write  ok
DELETE /messages/{post}                   -        -          -      ban    ok     ok     -      ok
PUT    /messages/{post}/reactions/👍      -        ok         ok     ban    ok     ok     -      -
DELETE /messages/{post}/reactions/👍      -        ok         ok     ban    ok     ok     -      -
GET    /messages/{post}/reactions         ok       ok         ok     ban    ok     ok     ok     ok
GET    /messages/{post}/reactions/👍      -        -          -      ban    ok     ok     -      ok
PUT    /messages/{poll}/vote vote         -        ok         ok     ban    ok     ok     -      -
DELETE /messages/{poll}/vote              -        ok         ok     ban    ok     ok     -      -
GET    /messages/{poll}/vote/0            -        -          -      ban    -      -      -      -
POST   /messages/{poll}/poll/close        write    write      write  ban    ok     ok     write  ok
PUT    /messages/{asking}/acknowledgement -        ok         ok     ban    ok     own    -      -
GET    /messages/{asking}/acknowledgements -       -          -      ban    ok     ok     -      ok
POST   /messages/{asking}/acknowledgements/reminder - -       -      ban    ok     ok     -      ok
"""

CHAT_GROUP: Final = """
                                          stranger subscriber muted  banned admin  owner  other  app
GET    /                                  ok       ok         ok     ok     ok     ok     ok     ok
PATCH  / introduction                     -        -          -      -      ok     ok     -      ok
PATCH  / posting                          -        -          -      -      ok     ok     -      ok
DELETE /                                  -        -          -      -      -      ok     -      ok
PUT    /members/me                        ok       ok         ok     ban    ok     ok     ok     ok
DELETE /members/me                        ok       ok         ok     ok     ok     owner  ok     ok
GET    /members                           -        ok         ok     -      ok     ok     -      ok
GET    /members/me                        none     ok         ok     none   ok     ok     none   none
GET    /members/{member}                  -        ok         ok     -      ok     ok     -      ok
PUT    /members/{nobody}                  -        -          -      -      ok     ok     -      ok
PATCH  /members/me card                   none     ok         ok     none   ok     ok     none   none
PATCH  /members/me unmute                 none     -          -      none   -      -      none   none
PATCH  /members/{member} role             -        -          -      -      -      ok     -      ok
PATCH  /members/{member} mute             -        -          -      -      ok     ok     -      ok
PATCH  /members/{member} card             -        -          -      -      ok     ok     -      ok
DELETE /members/{member}                  -        -          -      -      ok     ok     -      ok
DELETE /members/{member}?ban=true         -        -          -      -      ok     ok     -      ok
DELETE /members/{member} banning          -        -          -      -      ok     ok     -      ok
DELETE /members/{admin}                   -        -          -      -      -      ok     -      ok
DELETE /members/{owner}                   -        -          -      -      -      -      -      owner
GET    /bans                              -        -          -      -      ok     ok     -      ok
DELETE /bans/{banned}                     -        -          -      -      ok     ok     -      ok
GET    /join-requests                     -        -          -      -      ok     ok     -      ok
POST   /join-requests asked               -        -          -      -      ok     ok     -      ok
POST   /join-requests/{asker} approve     -        -          -      -      ok     ok     -      ok
POST   /join-requests/{nobody} approve    -        -          -      -      asks   asks   -      asks
DELETE /join-requests/me                  asks     asks       asks   asks   asks   asks   asks   asks
GET    /invitations                       -        -          -      -      ok     ok     -      ok
DELETE /invitations/{nobody}              -        -          -      -      ok     ok     -      ok
POST   /invitations/me accept             uninv    uninv      uninv  ban    ok     ok     uninv  uninv
POST   /invite-links link                 -        -          -      -      ok     ok     -      ok
GET    /invite-links                      -        -          -      -      ok     ok     -      ok
GET    /invite-links/{link}               -        -          -      -      ok     ok     -      ok
PATCH  /invite-links/{link} named         -        -          -      -      ok     ok     -      ok
DELETE /invite-links/{link}               -        -          -      -      ok     ok     -      ok
POST   /owner member                      -        -          -      -      -      ok     -      ok
POST   /messages text                     write    ok         muted  ban    ok     ok     write  ok
GET    /messages                          -        ok         ok     ban    ok     ok     -      ok
GET    /messages/{post}                   -        ok         ok     ban    ok     ok     -      ok
PATCH  /messages/{post} text              -        -          muted  ban    -      ok     -      ok
DELETE /messages/{post}                   -        -          -      ban    ok     ok     -      ok
PUT    /messages/{post}/reactions/👍      -        ok         ok     ban    ok     ok     -      -
DELETE /messages/{post}/reactions/👍      -        ok         ok     ban    ok     ok     -      -
GET    /messages/{post}/reactions         -        ok         ok     ban    ok     ok     -      ok
GET    /messages/{post}/reactions/👍      -        ok         ok     ban    ok     ok     -      ok
PUT    /messages/{poll}/vote vote         -        ok         ok     ban    ok     ok     -      -
DELETE /messages/{poll}/vote              -        ok         ok     ban    ok     ok     -      -
GET    /messages/{poll}/vote/0            -        ok         ok     ban    ok     ok     -      ok
POST   /messages/{poll}/poll/close        -        -          muted  ban    -      ok     -      ok
PUT    /messages/{asking}/acknowledgement -        ok         ok     ban    ok     own    -      -
GET    /messages/{asking}/acknowledgements -       -          -      ban    ok     ok     -      ok
POST   /messages/{asking}/acknowledgements/reminder - -       -      ban    ok     ok     -      ok
"""

ACCOUNTS: Final = """
                                          person business app
POST   /channels channel                  ok     ok       ok
POST   /channels channel-for-another      -      -        ok
POST   /groups group                      ok     biz      ok
POST   /groups group-for-another          -      -        ok
GET    /groups?all=true                   -      -        ok
GET    /users/{person}/groups             -      -        ok
GET    /users/{person}/channels           -      -        ok
POST   /users users                       -      -        ok
GET    /default-channels                  -      -        ok
GET    /events                            -      -        ok
GET    /events?channel_id={channel}       -      -        ok
GET    /events?channel_id={own}           ok     ok       ok
POST   /webhooks hook                     -      -        ok
GET    /webhooks                          -      -        ok
GET    /webhooks/{webhook}                -      -        ok
PATCH  /webhooks/{webhook} paused         -      -        ok
DELETE /webhooks/{webhook}                -      -        ok
POST   /webhooks/{webhook}/rotate-secret  -      -        ok
POST   /webhooks/{webhook}/test           -      -        ok
GET    /webhooks/{webhook}/deliveries     -      -        ok
GET    /webhooks/{webhook}/deliveries/{delivery} - -      ok
POST   /webhooks/{webhook}/deliveries/{delivery}/replay - - ok
POST   /webhooks/{webhook}/replay since   -      -        ok
POST   /reports report                    ok     ok       ok
GET    /reports                           -      -        ok
GET    /reports/{report}                  -      -        ok
POST   /reports/{report}/resolution dismissed - -         ok
PUT    /users/{nobody}/restriction restricted - -         ok
GET    /users/{restricted}/restriction    -      -        ok
DELETE /users/{restricted}/restriction    -      -        ok
GET    /restrictions                      -      -        ok
GET    /users/me/export                   ok     ok       ok
GET    /users/{leaver}/export             -      -        ok
DELETE /users/{leaver} leave              -      -        ok
GET    /users/{leaver}/deletion           -      -        ok
GET    /channels?suspended=true           -      -        ok
GET    /admin-log                         -      -        ok
GET    /feed                              ok     ok       ok
GET    /search/messages?q=hello           ok     ok       ok
PUT    /channels/{channel}/subscription   ok     biz      ok
GET    /channels/{channel}/posts          ok     ok       ok
PUT    /channels/{channel}/posts/1/reactions/👍 - biz     -
PUT    /channels/{channel}/posts/1/vote vote - biz        -
PUT    /groups/{group}/members/me         ok     biz      ok
POST   /groups/{group}/messages text      write  biz      ok
POST   /conversations/c2c_{person}/messages text ok biz   ok
POST   /conversations/c2c_{shop}/messages text shop biz   shop
POST   /conversations/c2c_{channel}/messages text ok biz  ok
POST   /channels/{own}/posts text         ok     ok       ok
PUT    /channels/{own}/subscribers/{person} ok   ok       ok
PUT    /channels/{own}/subscribers/{shop} shop   shop     shop
POST   /channels/{own}/invitations shop   ok     ok       ok
GET    /invite-links/{link}               ok     ok       ok
POST   /invite-links/{link}/join          ok     biz      ok
GET    /join-requests                     ok     ok       ok
PUT    /devices/mine device               ok     ok       ok
"""
"""What kind of account may make which call: persons and business accounts, who are strangers everywhere but in their
own channel (`own`), and the application. `channel` takes messages from everyone."""

ACCOUNT_ACTORS: Final = ["person", "business", "app"]

BY_GRANT: Final = {
    "post": {
        *("POST /posts text", "POST /posts/preview text", "POST /messages text"),
        *("POST /drafts draft", "GET /drafts", "GET /drafts/{draft}"),
        *("POST /posts silent", "POST /posts forward", "POST /posts/preview forward"),
        "POST /drafts/{draft}/publish",
        "POST /posts/{post}/comments as-channel",
    },
    "post read_inbox": {
        *("POST /broadcasts text", "GET /broadcasts", "POST /broadcasts/audience segment"),
        *("GET /broadcasts/{broadcast}", "GET /broadcasts/{broadcast}/not-reached"),
        *(f"POST /broadcasts/{{broadcast}}/{call}" for call in ("stop", "resume")),
    },
    "post edit_posts": {"PATCH /drafts/{draft} draft"},
    "post delete_posts": {"DELETE /drafts/{draft}"},
    "edit_posts": {
        *("PATCH /posts/{post} text", "PATCH /messages/{post} text"),
        *("POST /posts/{poll}/poll/close", "POST /messages/{poll}/poll/close"),
        *(f"{method} /posts/{{post}}/reactions-freeze" for method in ("PUT", "DELETE")),
        *(f"{method} /posts/{{post}}/comments-freeze" for method in ("PUT", "DELETE")),
    },
    "read_inbox": {
        "GET /inbox",
        "GET /inbox/unread",
        *("GET /inbox/{writer}/messages", "GET /inbox/{writer}/messages/1"),
        *(f"POST /inbox/{{{who}}}/messages text" for who in ("writer", "member", "nobody")),
        "POST /inbox/{writer}/messages forward",
        *(f"PATCH /inbox/{{writer}}/messages/{seq} text" for seq in (1, 2)),
        *(f"DELETE /inbox/{{writer}}/messages/{seq}" for seq in (1, 2)),
        *(f"{how} /inbox/{{writer}}/messages/1/reactions/👍" for how in ("PUT", "DELETE")),
        *("GET /inbox/tags", "PUT /inbox/{writer}/tags tags"),
        "POST /inbox/{writer}/read",
        "GET /canned-replies",
        *("PUT /canned-replies/{reply} reply", "DELETE /canned-replies/{reply}"),
    },
    "manage_webhooks": {
        *("POST /webhooks hook", "GET /webhooks", "GET /webhooks/{webhook}"),
        *("PATCH /webhooks/{webhook} paused", "DELETE /webhooks/{webhook}"),
        *("POST /webhooks/{webhook}/rotate-secret", "POST /webhooks/{webhook}/test"),
        "GET /webhooks/{webhook}/deliveries",
        "GET /webhooks/{webhook}/deliveries/{delivery}",
        "POST /webhooks/{webhook}/deliveries/{delivery}/replay",
        "POST /webhooks/{webhook}/replay since",
    },
    "see_insights": {
        *("GET /insights", "GET /insights/posts"),
        *("GET /posts/{post}/report", "GET /posts/{post}/clicks"),
        "GET /posts/{asking}/acknowledgements",
        "POST /posts/{asking}/acknowledgements/reminder",
        "GET /messages/{asking}/acknowledgements",
        "POST /messages/{asking}/acknowledgements/reminder",
    },
    "pin_posts": {f"{method} /posts/{{post}}/pin" for method in ("PUT", "DELETE")},
    "delete_posts": {
        *("DELETE /posts/{post}", "DELETE /messages/{post}", "GET /reports"),
        "DELETE /posts/{commented}/comments/1",
    },
    "change_info": {"PATCH / introduction"},
    "change_settings": {
        "PATCH / posting",
        *("PUT /forms/{form} form", "DELETE /forms/{form}"),
        *("PUT /menu menu", "DELETE /menu"),
        *("GET /greeting", "PUT /greeting greeting", "DELETE /greeting"),
        *("GET /auto-replies", "GET /auto-replies/{answer}"),
        *("PUT /auto-replies/{answer} answer", "DELETE /auto-replies/{answer}"),
        *("GET /opening-hours", "PUT /opening-hours hours", "DELETE /opening-hours"),
    },
    "manage_subscribers": {
        *("GET /subscribers", "GET /members", "GET /members/{member}"),
        *("PUT /subscribers/{nobody}", "PUT /subscribers/{banned}", "PUT /members/{nobody}"),
        *(
            f"DELETE /{members}/{{member}}{how}"
            for members in ("subscribers", "members")
            for how in ("", "?ban=true", " banning")
        ),
        *("GET /subscriber-tags", "POST /subscriber-tags tag-lines"),
        "PUT /subscribers/{member}/tags tags",
        *("GET /bans", "DELETE /bans/{banned}"),
        *(f"{method} /reaction-bans/{{member}}" for method in ("PUT", "DELETE")),
        "GET /reaction-bans",
        *(f"{method} /comment-bans/{{member}}" for method in ("PUT", "DELETE")),
        "GET /comment-bans",
        "PUT /admins/{nobody}",
        *("PATCH /members/{member} mute", "PATCH /members/{member} card"),
        *("GET /join-requests", "POST /join-requests asked"),
        *(f"POST /join-requests/{{{who}}} approve" for who in ("asker", "nobody")),
        *("POST /invite-links link", "GET /invite-links", "GET /invite-links/{link}"),
        *("PATCH /invite-links/{link} named", "DELETE /invite-links/{link}"),
        *("GET /invitations", "DELETE /invitations/{nobody}"),
        *("GET /posts/{post}/reactions/👍", "GET /messages/{post}/reactions/👍"),
    },
}
"""The calls for which an admin needs grants. Without them the call is refused; with them alone the tables hold.

All other calls answer every admin as the tables say, with any grants.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One call and what each actor is answered."""

    method: str
    path: str
    body: str
    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.body}".strip()


def rows_of(table: str, actors: Sequence[str] = ACTORS) -> list[Row]:
    """The rows of a table with these columns."""
    lines = [line for line in table.splitlines() if line.strip()]
    assert lines[0].split() == list(actors)
    rows: list[Row] = []
    for line in lines[1:]:
        method, path, *rest = line.split()
        cells = tuple(rest[-len(actors) :])
        assert set(cells) <= {"ok", *MEANING}
        (body,) = rest[: -len(actors)] or ("",)
        rows.append(Row(method, path, body, cells))
    return rows


def shut_out(rows: list[Row], missing: str) -> list[Row]:
    """The same rows in a private channel: those who are shut out get the answer for one that does not exist."""
    return [
        Row(
            row.method,
            row.path,
            row.body,
            tuple(
                missing if actor in SHUT_OUT else cell
                for actor, cell in zip(ACTORS, row.cells, strict=True)
            ),
        )
        for row in rows
    ]
