"""Sphinx extension: formulas as MathML, made when the book is built. Browsers draw it without a
script or a font of ours, and screen readers read it.
"""

from docutils.utils.math import tex2mathml_extern  # noqa: F401  (the sister for other converters)
from docutils.utils.math.latex2mathml import tex2mathml


def mathml(latex: str, block: bool = False) -> str:
    """A formula in LaTeX as MathML."""
    for long, short in ((r"\bigl", ""), (r"\bigr", ""), (r"\big", "")):
        latex = latex.replace(long, short)
    made = tex2mathml(latex.strip(), as_block=block)
    return made.replace("\n", " ")


def _inline(self, node):
    self.body.append(mathml(node.astext()))
    from docutils import nodes

    raise nodes.SkipNode


def _block(self, node):
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    self.body.append(
        f'<div class="formula" tabindex="0">{number}{mathml(node.astext(), True)}</div>'
    )
    from docutils import nodes

    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
