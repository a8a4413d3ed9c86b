"""The chats of the scene, and the conversation groups that users make of their chats and channels."""

from typing import Final

from channels.demo.script.models import ChatScript, FolderScript, Item
from groups.models import GroupType

CHATS: Final = (
    ChatScript(
        group_id="sunday-hike",
        type=GroupType.PUBLIC,
        owner="dee",
        name="Sunday hike 🥾",
        introduction="Every second Sunday, whatever the weather says.",
        created_hours_ago=120,
        members=("ada", "bob", "cid", "mateo", "hana", "lena", "sam", "kavya"),
        items=(
            Item(29, "So, Sunday: Eagle Ridge or along the coast?", by="dee"),
            Item(
                28.9,
                "Coast! After that gale there will be amber on the beach.",
                by="hana",
                reactions={"❤️": 3},
            ),
            Item(28.8, "I vote ridge. My knees vote coast.", by="bob", reactions={"😂": 5}),
            Item(
                28.6,
                "The lower path is under water, says Dee's own channel 😄",
                by="cid",
                reactions={"😂": 4},
            ),
            Item(
                28.5,
                "Traitor. But true. Ridge then, and the coast in two weeks?",
                by="dee",
                reactions={"👍": 6},
            ),
            Item(28.1, "मैं भी आऊँगी! Can I bring my sister?", by="kavya"),
            Item(28.0, "Of course! The more, the slower 🐌", by="dee", reactions={"😂": 2, "❤️": 1}),
            Item(9.5, "I bring bread. Walnut or rye?", by="ada", reactions={"❤️": 4}),
            Item(9.4, "Yes.", by="mateo", reactions={"😂": 6}),
            Item(
                9.2,
                "Train at 8:12 from platform 3, we meet at the kiosk. Timetable: trains.example/812",
                by="lena",
            ),
            Item(
                2.6, "Who has a first aid kit? Mine expired in 2019.", by="sam", reactions={"😮": 2}
            ),
            Item(
                2.5, "I have one, and plasters for your knees, Bob.", by="hana", reactions={"😂": 3}
            ),
            Item(
                0.7,
                "Forecast for Sunday: dry, 13 °C, 10 knots. You are welcome.",
                by="dee",
                reactions={"🙏": 4},
            ),
            Item(0.4, "Then I also bring the cardamom buns.", by="ada", reactions={"🎉": 5}),
            Item(
                0.3, "I take back everything I said about the ridge.", by="bob", reactions={"😂": 2}
            ),
            Item(0.2, "See you on platform 3!", by="lena"),
        ),
        unread={"ada": 2, "bob": 1, "cid": 8, "dee": 0, "hana": 4, "lena": 0},
    ),
    ChatScript(
        group_id="morning-loaf-team",
        type=GroupType.WORK,
        owner="ada",
        name="Morning Loaf team",
        introduction="Shifts and flour.",
        created_hours_ago=190,
        members=("chloe", "emre", "rosa", "daniel"),
        items=(
            Item(33, "Flour arrives Thursday at 5. Who opens?", by="ada"),
            Item(32.8, "Moi ! I am up anyway.", by="chloe", reactions={"❤️": 1}),
            Item(22, "The mixer makes that noise again. I recorded it.", by="emre"),
            Item(
                21.5,
                "That is the bearing. I call the oven man, he loves bearings.",
                by="daniel",
                reactions={"😂": 3},
            ),
            Item(
                3.1,
                "Three cake orders since yesterday: two times 7 years, one time 80!",
                by="rosa",
                reactions={"🎉": 2},
            ),
            Item(
                1.1,
                "Ada, the 80 wants all 80 candles. Do we have an extinguisher?",
                by="rosa",
                reactions={"😂": 3},
            ),
        ),
        unread={"ada": 1, "chloe": 0, "emre": 2},
    ),
)

FOLDERS: Final = (
    FolderScript(
        user_id="ada",
        name="Harbour Street",
        group_ids=("@TOA#_harbour-street-12", "@TOA#_brightwater-news", "sunday-hike"),
        pinned="sunday-hike",
    ),
)
