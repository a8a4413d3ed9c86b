"""The people of the scene. Their names are in many scripts, like those of real users."""

from typing import Final

PEOPLE: Final = {
    "ada": "Ada Lindqvist",
    "bob": "Bob Okafor",
    "cid": "Cid Navarro",
    "dee": "Dee Marchetti",
    "aiko": "田中 愛子",
    "amir": "امیر حسینی",
    "anya": "Аня Соколова",
    "ben": "Ben Achterberg",
    "chidi": "Chidi Eze",
    "chloe": "Chloé Fournier",
    "daniel": "Daniel Kowalski",
    "elena": "Ελένη Παππά",
    "emre": "Emre Yıldız",
    "fatima": "فاطمة الزهراء",
    "grace": "Grace Mbeki",
    "hana": "김하나",
    "hugo": "Hugo Steen",
    "ines": "Inês Carvalho",
    "ivan": "Иван Петров",
    "jonas": "Jonas Bergström",
    "kavya": "काव्या शर्मा",
    "lena": "Lena Hofmann",
    "liam": "Liam Byrne",
    "mateo": "Mateo Ruiz",
    "mei": "陈美",
    "nadia": "Nadia Haddad",
    "noor": "Noor de Wit",
    "olu": "Olu Adeyemi",
    "priya": "Priya Raman",
    "rosa": "Rosa Delgado",
    "sam": "Sam Whitaker",
    "siri": "ศิริพร จันทร์",
    "tomas": "Tomáš Novák",
    "yusuf": "Yusuf Demir",
}

NEIGHBOURS: Final = tuple(PEOPLE)[4:]
"""All but the four that the app is tried with: ada, bob, cid and dee."""
