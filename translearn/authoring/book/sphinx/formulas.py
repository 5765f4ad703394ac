"""Sphinx extension: formulas as MathML, made when the book is built. Browsers draw it without a
script or a font of ours, and screen readers read it.
"""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def mathml(latex: str, block: bool = False) -> str:
    """A formula in LaTeX as MathML."""
    plain = re.sub(r"\\big[lr]?(?=[^a-zA-Z])", "", latex)  # larger brackets: MathML stretches them
    return tex2mathml(plain.strip(), as_block=block).replace("\n", " ")


def _inline(self, node):
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(self, node):
    made = mathml(node.astext(), block=True)
    self.body.append(f'<div class="formula" tabindex="0">{made}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
