"""Reviews messages before they are stored: your back end allows, changes or refuses each of them."""
