"""The category tree: what kinds of places there are, and how they are called.

It is part of the product, as ticketing, statistics and maps rely on its keys. Two levels: a group and its
kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.texts import LANGUAGES, Texts


@dataclass(frozen=True, slots=True)
class Category:
    """`parent` is None for a group."""

    key: str
    names: Texts
    parent: str | None


_TREE = """
culture | Culture | Cultura | Kultur | Cultuur | Culture
  museum | Museum | Museo | Museum | Museum | Musée
  gallery | Gallery | Galería | Galerie | Galerie | Galerie
  theatre | Theatre | Teatro | Theater | Theater | Théâtre
  library | Library | Biblioteca | Bibliothek | Bibliotheek | Bibliothèque
  workshop | Workshop | Taller | Werkstatt | Werkplaats | Atelier
heritage | Heritage | Patrimonio | Kulturerbe | Erfgoed | Patrimoine
  landmark | Landmark | Lugar emblemático | Wahrzeichen | Bezienswaardigheid | Site emblématique
  monument | Monument | Monumento | Denkmal | Monument | Monument
  castle | Castle | Castillo | Burg | Kasteel | Château
  church | Church | Iglesia | Kirche | Kerk | Église
  place_of_worship | Place of worship | Lugar de culto | Gebetsstätte | Gebedshuis | Lieu de culte
  windmill | Windmill | Molino de viento | Windmühle | Windmolen | Moulin à vent
  archaeology | Archaeological site | Yacimiento | Ausgrabungsstätte | Opgraving | Site archéologique
outdoors | Outdoors | Aire libre | Im Freien | Buiten | Plein air
  nature | Nature | Naturaleza | Natur | Natuur | Nature
  garden | Garden | Jardín | Garten | Tuin | Jardin
  park | Park | Parque | Park | Park | Parc
  beach | Beach | Playa | Strand | Strand | Plage
  viewpoint | Viewpoint | Mirador | Aussichtspunkt | Uitzichtpunt | Point de vue
  trail | Trail | Sendero | Wanderweg | Wandelroute | Sentier
family | Family and leisure | Familia y ocio | Familie und Freizeit | Gezin en vrije tijd | Famille et loisirs
  aquarium | Aquarium | Acuario | Aquarium | Aquarium | Aquarium
  zoo | Zoo | Zoo | Zoo | Dierentuin | Zoo
  theme_park | Theme park | Parque temático | Freizeitpark | Pretpark | Parc à thème
  playground | Playground | Parque infantil | Spielplatz | Speeltuin | Aire de jeux
  observatory | Observatory | Observatorio | Sternwarte | Sterrenwacht | Observatoire
  sports | Sports | Deporte | Sport | Sport | Sport
  wellness | Wellness | Bienestar | Wellness | Wellness | Bien-être
city_life | City life | Vida urbana | Stadtleben | Stadsleven | Vie urbaine
  market | Market | Mercado | Markt | Markt | Marché
  shop | Shop | Tienda | Geschäft | Winkel | Boutique
  restaurant | Restaurant | Restaurante | Restaurant | Restaurant | Restaurant
  cafe | Café | Cafetería | Café | Café | Café
  bar | Bar | Bar | Bar | Bar | Bar
  square | Square | Plaza | Platz | Plein | Place
stay | Places to stay | Alojamiento | Unterkunft | Overnachten | Hébergement
  hotel | Hotel | Hotel | Hotel | Hotel | Hôtel
  hostel | Hostel | Albergue | Hostel | Hostel | Auberge
  campsite | Campsite | Camping | Campingplatz | Camping | Camping
getting_around | Getting around | Transporte | Unterwegs | Onderweg | Se déplacer
  harbour | Harbour | Puerto | Hafen | Haven | Port
  station | Station | Estación | Bahnhof | Station | Gare
  parking | Car park | Aparcamiento | Parkplatz | Parkeerplaats | Parking
  tourist_information | Tourist information | Oficina de turismo | Touristinfo | VVV | Office de tourisme
"""
"""Each line: the key, and the names in the order of `LANGUAGES`."""


def _read(tree: str) -> dict[str, Category]:
    found: dict[str, Category] = {}
    group: str | None = None
    for line in filter(None, tree.splitlines()):
        key, *names = (part.strip() for part in line.split("|"))
        nested = line.startswith(" ")
        found[key] = Category(key, dict(zip(LANGUAGES, names, strict=True)), group if nested else None)
        group = group if nested else key
    return found


CATEGORIES: Mapping[str, Category] = _read(_TREE)


def group_of(key: str) -> str:
    """The group that a category belongs to; a group is its own. One that the tree has lost stands for
    itself.
    """
    category = CATEGORIES.get(key)
    return key if category is None or category.parent is None else category.parent


def is_group(key: str) -> bool:
    """Whether the category has kinds of its own."""
    return key in CATEGORIES and CATEGORIES[key].parent is None
