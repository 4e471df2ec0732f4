"""Figures of the gallery in two tones: saved for light and for dark pages, and shown by the page's theme."""

import colorsys
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from docutils import nodes
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

SUFFIX = "_dark"  # of the name of a file
DPI, PIXELS_PER_INCH = 150, 88  # of the file, and of the page
BACKGROUND = "#14181e"
GREY = 0.2  # saturation below which a colour is a shade of grey
LIGHTEST, DARKEST, MIN_LIGHTNESS = 0.9, 0.1, 0.56


def _get_sg_image_scraper() -> Callable[..., str]:
    """Return the scraper; Sphinx-Gallery looks for a function of this name."""
    return save_figures


def save_figures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save all open figures, close them, and return the directives that show them."""
    question = Path(block_vars["src_file"]).read_text(encoding="utf-8").splitlines()[1]
    directives = []
    for number in plt.get_fignums():
        figure = plt.figure(number)
        light = Path(next(block_vars["image_path_iterator"]))
        dark = light.with_name(f"{light.stem}{SUFFIX}{light.suffix}")
        figure.savefig(light, dpi=DPI)
        darken(figure)
        figure.savefig(dark, dpi=DPI, facecolor="none")
        width = round(figure.get_figwidth() * PIXELS_PER_INCH)
        for path, theme in ((light, "light"), (dark, "dark")):
            uri = Path(os.path.relpath(path, gallery_conf["src_dir"])).as_posix()
            directives.append(
                f".. image:: /{uri}\n   :alt: {question} {describe(figure)}\n"
                f"   :class: sphx-glr-single-img only-{theme}\n   :width: {width}px\n"
            )
    plt.close("all")
    return "\n".join(directives)


def describe(figure: Figure) -> str:
    """Return the titles and the labels of the axes, as a description of the figure."""
    texts = [ax.get_title() or ax.get_title("left") or ax.get_ylabel() for ax in figure.axes]
    return "; ".join(dict.fromkeys(" ".join(text.split()) for text in texts if text))


def darken(figure: Figure) -> None:
    """Change the colours of a figure for a dark background; images keep theirs, and what is drawn on them."""
    figure.patch.set_facecolor("none")
    on_image = set()
    for ax in figure.axes:
        if ax.images:
            on_image.update(
                id(artist) for artist in (*ax.texts, *ax.lines, *ax.patches, *ax.collections, ax.patch)
            )
        else:
            ax.patch.set_facecolor("none")
    for artist in figure.findobj():
        if id(artist) not in on_image and artist is not figure.patch and not isinstance(artist, Axes):
            change_colors(artist)


def change_colors(artist: Any) -> None:
    """Change the colours of one artist."""
    if isinstance(artist, Text):
        artist.set_color(turn(artist.get_color()))
        if artist.get_path_effects():
            artist.set_path_effects([withStroke(linewidth=3, foreground=BACKGROUND)])
    elif isinstance(artist, Line2D):
        face, edge = artist.get_markerfacecolor(), artist.get_markeredgecolor()
        artist.set_color(turn(artist.get_color()))
        artist.set_markerfacecolor(turn(face))
        artist.set_markeredgecolor(turn(edge))
    elif isinstance(artist, Patch):
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        if face[3]:  # otherwise invisible, but setting it would apply the alpha of the patch
            artist.set_facecolor(turn(face))
        if edge[3]:
            artist.set_edgecolor(turn(edge))
    elif isinstance(artist, Collection) and artist.get_array() is None:
        faces, edges = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor([turn(color) for color in faces])
        artist.set_edgecolor([turn(color) for color in edges])


def turn(color: Any) -> Any:
    """Return a colour for a dark background: shades of grey are inverted, other colours are lightened."""
    if isinstance(color, str) and color in {"none", "auto"}:
        return color
    red, green, blue, alpha = to_rgba(color)
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) < GREY * max(lightness, 0.3):
        lightness = min(max(1 - lightness, DARKEST), LIGHTEST)
    else:
        lightness = max(lightness, MIN_LIGHTNESS)
    return (*to_rgba(to_hex(colorsys.hls_to_rgb(hue, lightness, saturation)))[:3], alpha)


class AddDarkImages(SphinxTransform):
    """Add the dark version to each figure of the gallery that a page shows."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        """Insert the images; those in cards and in the gallery's own pages have classes already."""
        for image in list(self.document.findall(nodes.image)):
            path = Path(image["uri"])
            uri = path.with_name(f"{path.stem}{SUFFIX}{path.suffix}").as_posix()
            is_plain = path.name.startswith("sphx_glr_") and not image["classes"]
            if is_plain and Path(self.env.relfn2path(uri, self.env.docname)[1]).exists():
                dark = image.deepcopy()
                dark["uri"] = uri
                dark["classes"].append("only-dark")
                image["classes"].append("only-light")
                insert_after(image, dark)


def insert_after(image: nodes.image, other: nodes.image) -> None:
    """Insert an image after another one, in a link of its own if the other one is a link."""
    link = image.parent
    if not isinstance(link, nodes.reference):
        link.insert(link.index(image) + 1, other)
        return
    copy = link.copy()
    copy += other
    link.parent.insert(link.parent.index(link) + 1, copy)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(AddDarkImages)
    return {"parallel_read_safe": True}
