"""The channels of the scene and their posts."""

from typing import Final

from channels.demo.script.models import ChannelScript, Item, Line, PollScript, Remark, ThreadScript
from channels.demo.script.people import NEIGHBOURS
from channels.demo.script.self_service import (
    BAKERY_FORMS,
    BAKERY_MENU,
    CAKE_BUTTONS,
    CLUB_FORMS,
    CLUB_MENU,
    TICKET_BUTTONS,
)

DEVELOPERS: Final = ("aiko", "hana", "mei", "kavya", "ivan", "tomas", "jonas", "noor")

CHANNELS: Final = (
    ChannelScript(
        group_id="@TOA#_brightwater-news",
        picture="city",
        owner="cid",
        name="Brightwater City News",
        organization="Brightwater Press Office",
        introduction="What the city decides, builds and closes. Two or three posts a day, no rumours.",
        created_hours_ago=240,
        members=("ada", "bob", "dee", *NEIGHBOURS),
        admins=("grace",),
        items=(
            Item(
                118,
                "The council voted 9 to 4 for the tram extension to Harbour Street. Work begins in March and takes"
                " fourteen months; the number 6 bus runs every eight minutes meanwhile.",
                title="Tram to Harbour Street approved",
                links={
                    "The full plan": "https://brightwater.example/tram/plan",
                    "Minutes of the vote": "https://brightwater.example/council/0412",
                },
                reactions={"👍": 14, "🎉": 6, "😮": 2},
            ),
            Item(
                96,
                "Mill Bridge is closed for cars from Friday 22:00 to Monday 05:00. Cyclists and pedestrians can cross.",
                title="Mill Bridge closed this weekend",
                reactions={"😢": 5, "👍": 4},
            ),
            Item(
                71,
                "The swimming pool opens again on Saturday after eleven months. Entrance is free until Sunday evening.",
                title="Pool opens on Saturday",
                picture="sea",
                by="grace",
                reactions={"❤️": 17, "🎉": 9},
            ),
            Item(
                50,
                "Power is back in the Old Town since 04:10. The cause was a damaged cable at the market hall;"
                " nobody was hurt.",
                title="Power cut in the Old Town: over",
                reactions={"🙏": 11, "👍": 3},
            ),
            Item(
                27,
                "Library cards are free for everyone under 26 from the first of the month. Bring any paper with your"
                " name on it.",
                title="Free library cards under 26",
                links={"Branches and hours": "https://brightwater.example/library"},
                reactions={"❤️": 12, "👏": 5},
            ),
            Item(
                6,
                "The market moves to Station Square on Saturday because of the marathon. Stalls open at 07:00 as"
                " always.",
                title="Saturday market at Station Square",
                by="grace",
                reactions={"👍": 8},
            ),
            Item(
                1.5,
                "Road closures for Sunday's marathon are on the map. Parked cars on the course are towed from 05:00.",
                title="Marathon: which roads, when",
                links={"Map": "https://brightwater.example/marathon/map"},
                reactions={"👍": 4, "😮": 1},
            ),
        ),
        unread={"ada": 2, "bob": 0, "cid": 0, "dee": 5, "grace": 0, "lena": 1, "mei": 0, "sam": 3},
    ),
    ChannelScript(
        group_id="@TOA#_morning-loaf",
        picture="bread",
        owner="ada",
        name="Morning Loaf Bakery",
        organization="Morning Loaf, 12 Harbour Street",
        introduction="Today's bread, and what is left of it at five. Wir sprechen auch Deutsch.",
        created_hours_ago=200,
        members=("bob", "cid", "dee", *NEIGHBOURS[:22]),
        menu=BAKERY_MENU,
        forms=BAKERY_FORMS,
        items=(
            Item(
                97,
                "Rye, spelt and the walnut loaf from 7:00. Cardamom buns from 8:30, one tray only.",
                reactions={"❤️": 6, "😋": 3},
            ),
            Item(
                73,
                "The oven man comes tomorrow, so we open at noon. Sorry to everyone with an early train!",
                title="Open at noon tomorrow",
                reactions={"😢": 7, "👍": 2},
            ),
            Item(
                49,
                "Heute gibt es Zwiebelkuchen, solange er reicht. Onion tart today, while it lasts.",
                reactions={"😋": 9, "❤️": 4},
            ),
            Item(
                25,
                "You can now order birthday cakes here: two days ahead, name and age, and tell us about allergies.",
                title="Cakes to order",
                picture="bread",
                links={"The cake list": "https://morningloaf.example/cakes"},
                buttons=CAKE_BUTTONS,
                reactions={"🎂": 8, "❤️": 3},
            ),
            Item(
                2.2,
                "Eleven baguettes and two walnut loaves are left, half price until we close at six.",
                title="Half price until six",
                reactions={"🏃": 3, "👍": 2},
            ),
        ),
        unread={"ada": 0, "bob": 1, "cid": 0, "dee": 2, "aiko": 0, "chloe": 0},
    ),
    ChannelScript(
        group_id="@TOA#_fc-harbour",
        picture="football",
        owner="bob",
        name="FC Harbour",
        organization="FC Harbour 1908",
        introduction="Line-ups, goals and the truth about the referee.",
        created_hours_ago=300,
        members=("ada", "cid", "dee", *NEIGHBOURS[3:27]),
        admins=("liam",),
        signatures=True,
        has_comments=True,
        menu=CLUB_MENU,
        forms=CLUB_FORMS,
        threads=(
            ThreadScript(
                "ada",
                (
                    Line(26, "Hello! Are there still two seats side by side in the south stand?"),
                    Line(25.2, "There are: row 14, seats 8 and 9. Shall we keep them?", by="bob"),
                    Line(24.8, "Yes please, until Friday. Thank you!"),
                ),
            ),
            ThreadScript("lena", (Line(9, "My son is 13. Does he need a ticket on Saturday?"),)),
            ThreadScript(
                "sam",
                (
                    Line(5, "I left a blue umbrella in block C."),
                    Line(4.1, "We have it. It waits for you at gate 2.", by="liam"),
                ),
            ),
        ),
        items=(
            Item(
                290,
                "Pre-season begins: first training on Monday, 18:00, at the old ground.",
                title="Back to work",
                reactions={"🔥": 6},
            ),
            Item(
                262,
                "Petrov signs for two more years.",
                title="Petrov stays",
                by="liam",
                reactions={"🎉": 12},
            ),
            Item(
                218,
                "0:0 at Milltown. A point is a point, and the goalkeeper deserves a statue.",
                by="liam",
                reactions={"👏": 8},
            ),
            Item(
                170,
                "The new scarves are here. The wool is from the valley, the blue is ours.",
                title="New scarves",
                links={"Shop": "https://fcharbour.example/shop"},
                reactions={"❤️": 9},
            ),
            Item(
                121,
                "Adeyemi trains again. The knee holds, says the doctor.",
                by="liam",
                reactions={"🙏": 10},
            ),
            Item(
                75,
                "Saturday, 15:00, at home against Northgate United. Gates open at 13:30, under-14s are free.",
                title="Next: Northgate United",
                picture="football",
                reactions={"🔥": 8, "👍": 6},
            ),
            Item(
                51.5,
                "Eze; Byrne, Novák, Steen, Ruiz; Adeyemi, Demir, Carvalho; Whitaker, Petrov, Raman.",
                title="Our eleven today",
                by="liam",
                reactions={"🔥": 5},
            ),
            Item(50.6, "23' GOAL! Petrov with the left foot. 1:0", by="liam", reactions={"⚽": 15}),
            Item(
                50.2,
                "41' Equaliser, from what was surely offside. 1:1",
                by="liam",
                reactions={"😡": 12},
            ),
            Item(
                49.5,
                "90+3' GOOOAL! Раман сделала это! Raman from thirty metres. 2:1, and that is the whistle!",
                by="liam",
                reactions={"🎉": 16, "❤️": 6},
                comments=(
                    Remark(49.3, "lena", "My neighbours know the result now, too. Sorry!"),
                    Remark(49.1, "sam", "From thirty metres! I dropped my sausage."),
                    Remark(48.8, "", "We owe you one. Ask for it at gate 2.", quoted=2),
                ),
            ),
            Item(
                48.5,
                "",
                poll=PollScript(
                    "Player of the match?",
                    {"Petrov": 6, "Raman": 11, "Whitaker": 2, "The goalkeeper": 4},
                ),
                reactions={"🔥": 2},
            ),
            Item(
                28,
                "Season tickets for the second half are half price until Friday. The south stand has 140 seats left.",
                title="Season tickets",
                links={"Tickets": "https://fcharbour.example/tickets"},
                buttons=TICKET_BUTTONS,
                reactions={"👍": 4},
            ),
        ),
        unread={"ada": 0, "bob": 0, "cid": 1, "dee": 6, "liam": 0},
    ),
    ChannelScript(
        group_id="@TOA#_coast-weather",
        picture="sea",
        owner="dee",
        name="Coast Weather",
        organization="Brightwater Weather Station",
        introduction="The day at 6:30, warnings at once. Wind in knots, because of the boats.",
        created_hours_ago=400,
        members=("ada", "bob", "cid", *NEIGHBOURS[8:]),
        items=(
            Item(
                76, "Fog until ten, then sun. 14 °C, wind south-west 8 knots.", reactions={"🌞": 5}
            ),
            Item(
                52,
                "Dry and bright. 16 °C, wind west 6 knots. Good for painting the boat.",
                has_video=True,
                reactions={"🌞": 9},
            ),
            Item(
                30,
                "Gusts of 45 knots from 18:00, until about 03:00. Tie down what can fly, stay off the pier.",
                title="⚠️ Gale warning",
                links={"Radar": "https://coastweather.example/radar"},
                reactions={"😮": 7, "🙏": 6},
            ),
            Item(
                20,
                "The gale is through. 31 mm of rain; the lower path is under water.",
                reactions={"🙏": 8},
            ),
            Item(4, "Showers, then clearing from the west. 12 °C, wind north-west 14 knots."),
        ),
        unread={"ada": 1, "bob": 0, "cid": 4, "dee": 0, "hugo": 0, "jonas": 2},
    ),
    ChannelScript(
        group_id="@TOA#_tech-digest",
        owner="priya",
        name="The Thursday Digest · 週刊テック",
        organization="The Thursday Digest",
        introduction="Five links a week about software that people run themselves.",
        created_hours_ago=500,
        members=("ada", "bob", "cid", "dee", *DEVELOPERS),
        items=(
            Item(
                170,
                "How one library moved forty years of catalogue cards in a weekend; why your backups need a fire drill;"
                " and a keyboard for three hands.",
                title="Digest 61",
                links={
                    "Forty years in a weekend": "https://digest.example/61/cards",
                    "The fire drill": "https://digest.example/61/backups",
                },
                reactions={"👍": 5, "❤️": 2},
            ),
            Item(
                100,
                "来週の特集は「自分で動かすサーバー」です。ご質問をお寄せください。Next week: running your own server."
                " Send us your questions.",
                reactions={"👍": 3, "🙏": 2},
            ),
            Item(
                3,
                "Running your own: what it costs, what breaks first, and what three people learned in a year.",
                title="Digest 62",
                links={
                    "What it costs": "https://digest.example/62/costs",
                    "What breaks first": "https://digest.example/62/breaks",
                    "A year later": "https://digest.example/62/year",
                },
                reactions={"🔥": 4, "❤️": 3},
            ),
        ),
        unread={"ada": 1, "bob": 1, "priya": 0, "aiko": 0, "ivan": 0},
    ),
    ChannelScript(
        group_id="@TOA#_harbour-street-12",
        owner="cid",
        name="House 12, Harbour Street",
        organization="Tenants of Harbour Street 12",
        introduction="Notices for tenants. Moving in? Ask Cid to add you.",
        created_hours_ago=260,
        members=("ada", "dee", "fatima", "tomas", "yusuf", "rosa"),
        is_private=True,
        items=(
            Item(
                98,
                "The chimney sweep comes on Tuesday between 9 and 11. Please leave the attic door open.",
            ),
            Item(
                26,
                "No warm water on Thursday morning: the new boiler arrives. Nihayet!",
                title="New boiler",
                reactions={"🎉": 4, "👍": 1},
            ),
        ),
        unread={"ada": 1, "cid": 0, "dee": 0, "rosa": 0},
    ),
)
