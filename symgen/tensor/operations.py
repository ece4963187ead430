"""The operations on whole arrays ▣ that stay atoms in results: their shapes, differentials, definitions and numerics.

The formulas are in symgen's own language, over the names of the operands (`A`, `x`), `Y` for the value, `Y_bar` for the
adjoint of the value, `dA` for a differential. A signature names the axes that are the operation's own,
`A[n, n] -> [n, n]`; axes before them are batch axes, over which it maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgen.tensor.expression import Scalar


@dataclass(frozen=True)
class Operation:
    """An operation without index form, or one that people call by its name.

    `pullback` gives the adjoint of each operand (None: symgen has no rule; an operand that is left out is not
    differentiable), `because` the differential that it transposes. `local` defines matrices by their entries (i, j) for
    the pullbacks. `commuting` is the differential where dA and A commute, `at_identity` the pullback of Y_bar = I, where
    they are shorter. `curvature` is that of every entry, with its premise: `increasing` in every operand, `affine` ones,
    `spd` ones. `definition` opens the operation, where it has an index form. `numeric` is a NumPy template (`linalg` is
    scipy.linalg, `special` scipy.special) that maps over batch axes unless `batched` is False. `range` is the interval
    of the entries; `needs` what an operand must be; `facts` what the value is, given a fact on the operand.
    """

    name: str
    shape: str
    pullback: Mapping[str, str | None]
    because: str
    numeric: str
    latex: str
    source: str
    definition: str | None = None
    commuting: str | None = None
    at_identity: Mapping[str, str] = field(default_factory=dict)
    curvature: str | None = None
    local: Mapping[str, str] = field(default_factory=dict)
    range: str = "(-inf, inf)"
    needs: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    batched: bool = True
    internal: bool = False

    @property
    def operands(self) -> dict[str, tuple[str, ...]]:
        """The names of the operands with the names of their own axes."""
        return dict(map(_operand, _split(self.shape.split("->")[0])))

    @property
    def result(self) -> tuple[str, ...]:
        """The names of the axes of the value."""
        return _operand(self.shape.split("->")[1].strip())[1]


def _split(text: str) -> list[str]:
    """The parts between the commas that stand outside brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "[") - (c == "]")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts]


def _operand(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, axes = text.partition("[")
    return name.strip(), tuple(a.strip() for a in axes.rstrip("] ").split(",") if a.strip())


ROWS = (
    Operation(
        "inv",
        shape="A[n, n] -> [n, n]",
        pullback={"A": "-Y' @ Y_bar @ Y'"},
        because="dY = -Y @ dA @ Y",
        numeric="np.linalg.inv({A})",
        latex=r"{A}^{{-1}}",
        source="Giles (2008), 2.2.3",
        facts={k: k for k in ("spd", "symmetric", "diagonal", "lower", "orthogonal")},
    ),
    Operation(
        "det",
        shape="A[n, n] -> []",
        pullback={"A": "Y_bar*Y*inv(A)'"},
        because="dY = Y*tr(inv(A) @ dA)",
        numeric="np.linalg.det({A})",
        latex=r"\det {A}",
        source="Giles (2008), 2.2.4",
        facts={"spd": "positive"},
    ),
    Operation(
        "logdet",
        shape="A[n, n] -> []",
        pullback={"A": "Y_bar*inv(A)'"},
        because="dY = tr(inv(A) @ dA)",
        numeric="np.linalg.slogdet({A})[1]",
        latex=r"\log\left|\det {A}\right|",
        source="Petersen and Pedersen (2012), eq. 57",
        curvature="concave spd",
    ),
    Operation(
        "cholesky",
        shape="A[n, n] -> [n, n]",
        pullback={"A": "(inv(Y)' @ (Phi*(Y' @ Y_bar)) @ inv(Y) + inv(Y)' @ (Phi*(Y' @ Y_bar))' @ inv(Y))/2"},
        because="dY = Y @ (Phi*(inv(Y) @ dA @ inv(Y)'))",
        local={"Phi": "where(i > j, 1, where(i == j, 1/2, 0))"},
        numeric="np.linalg.cholesky({A})",
        latex=r"\operatorname{{chol}}\left({A}\right)",
        source="Murray (2016), eq. 9-10",
        needs="spd",
        facts={"spd": "lower"},
    ),
    Operation(
        "expm",
        shape="A[n, n] -> [n, n]",
        pullback={"A": "expm_frechet(A', Y_bar)"},
        because="dY = expm_frechet(A, dA)",
        commuting="dA @ Y",
        at_identity={"A": "Y'"},
        numeric="linalg.expm({A})",
        latex=r"e^{{{A}}}",
        source="Al-Mohy and Higham (2009), eq. 1.3",
        facts={"symmetric": "spd", "skew": "orthogonal", "diagonal": "diagonal"},
    ),
    Operation(
        "expm_frechet",
        shape="A[n, n], E[n, n] -> [n, n]",
        pullback={
            "E": "expm_frechet(A', Y_bar)",
            "A": "expm_frechet(concat(concat(A', E', axis=1), concat(0*A, A', axis=1)), "
            "concat(concat(Y_bar, 0*A, axis=1), concat(0*A, Y_bar, axis=1)))[:n, n:]",
        },
        because="dY = expm_frechet(A, dE) + the block (1, 2) of expm_frechet([A E; 0 A], [dA 0; 0 dA])",
        definition="expm(concat(concat(A, E, axis=1), concat(0*A, A, axis=1)))[:n, n:]",
        numeric="linalg.expm_frechet({A}, {E}, compute_expm=False)",
        latex=r"\operatorname{{Dexp}}\left({A}, {E}\right)",
        source="Higham (2008), theorem 3.6",
        batched=False,
    ),
    Operation(
        "matpow",
        shape="A[n, n], k -> [n, n]",
        pullback={"A": "matpow(concat(concat(A', Y_bar, axis=1), concat(0*A, A', axis=1)), k)[:n, n:]"},
        because="dY = matpow(concat(concat(A, dA, axis=1), concat(0*A, A, axis=1)), k)[:n, n:]",
        commuting="k*dA @ matpow(A, k - 1)",
        at_identity={"A": "k*matpow(A', k - 1)"},
        numeric="np.linalg.matrix_power({A}, {k})",
        latex=r"{A}^{{{k}}}",
        source="Higham (2008), theorem 3.6",
        facts={"symmetric": "symmetric", "spd": "spd", "orthogonal": "orthogonal", "diagonal": "diagonal"},
    ),
    Operation(
        "eigvals",
        shape="A[n, n] -> [n]",
        pullback={"A": "eigvecs(A) @ diag(Y_bar) @ eigvecs(A)'"},
        because="dY = diagonal(eigvecs(A)' @ dA @ eigvecs(A))",
        numeric="eigvals({A})",
        latex=r"\operatorname{{eigvals}}\left({A}\right)",
        source="Magnus and Neudecker (2019), 9.12: simple eigenvalues of the symmetric part, ascending",
    ),
    Operation(
        "eigvecs",
        shape="A[n, n] -> [n, n]",
        pullback={
            "A": "(Y @ (Y' @ Y_bar*tensor[i: n, j: n](where(i == j, 0, 1/(eigvals(A)[j] - eigvals(A)[i])))) @ Y' + "
            "Y @ (Y' @ Y_bar*tensor[i: n, j: n](where(i == j, 0, 1/(eigvals(A)[j] - eigvals(A)[i]))))' @ Y')/2",
        },
        because="dY = Y @ (Y' @ (dA + dA')/2 @ Y*tensor[i: n, j: n](where(i == j, 0, 1/(eigvals(A)[j] - eigvals(A)[i]))))",
        numeric="eigvecs({A})",
        latex=r"\operatorname{{eigvecs}}\left({A}\right)",
        source="Magnus and Neudecker (2019), 9.12: columns of length 1, the sum of each above 0",
        facts={"real": "orthogonal"},
    ),
    Operation(
        "sqrtm",
        shape="A[n, n] -> [n, n]",
        pullback={
            "A": "eigvecs(A) @ (eigvecs(A)' @ (Y_bar + Y_bar')/2 @ eigvecs(A)/"
            "tensor[i: n, j: n](sqrt(eigvals(A)[i]) + sqrt(eigvals(A)[j]))) @ eigvecs(A)'",
        },
        because="dA = dY @ Y + Y @ dY",
        at_identity={"A": "inv(Y)/2"},
        numeric="sqrtm({A})",
        latex=r"\operatorname{{sqrtm}}\left({A}\right)",
        source="Higham (2008), 6.1: the root of a symmetric positive definite matrix",
        needs="spd",
        facts={"spd": "spd", "psd": "psd", "diagonal": "diagonal"},
    ),
    Operation(
        "polar",
        shape="A[n, m] -> [n, m]",
        pullback={
            "A": "where(m <= n, "
            "Y @ eigvecs(A' @ A) @ (eigvecs(A' @ A)' @ (Y' @ Y_bar - Y_bar' @ Y) @ eigvecs(A' @ A)/"
            "tensor[i: m, j: m](sqrt(eigvals(A' @ A)[i]) + sqrt(eigvals(A' @ A)[j]))) @ eigvecs(A' @ A)'"
            " + (Y_bar - Y @ Y' @ Y_bar) @ eigvecs(A' @ A) @ diag(1/sqrt(eigvals(A' @ A))) @ eigvecs(A' @ A)', "
            "eigvecs(A @ A') @ (eigvecs(A @ A')' @ (Y_bar @ Y' - Y @ Y_bar') @ eigvecs(A @ A')/"
            "tensor[i: n, j: n](sqrt(eigvals(A @ A')[i]) + sqrt(eigvals(A @ A')[j]))) @ eigvecs(A @ A')' @ Y"
            " + eigvecs(A @ A') @ diag(1/sqrt(eigvals(A @ A'))) @ eigvecs(A @ A')' @ (Y_bar - Y_bar @ Y' @ Y))",
        },
        because="A = Y @ P: dY = Y @ W + (I - Y @ Y') @ dA @ inv(P), W skew, P @ W + W @ P = Y' @ dA - dA' @ Y",
        numeric="polar({A})",
        latex=r"\operatorname{{polar}}\left({A}\right)",
        source="Higham (2008), 8: the nearest matrix with orthonormal columns (rows, where those are fewer)",
    ),
    Operation(
        "nuclear_norm",
        shape="A[n, m] -> []",
        pullback={"A": "Y_bar*polar(A)"},
        because="dY = tr(polar(A)' @ dA)",
        numeric="np.linalg.svd({A}, compute_uv=False).sum(-1)",
        latex=r"\operatorname{{nuclear\,norm}}\left({A}\right)",
        source="Watson (1992): the sum of the singular values, where none of them is 0",
        range="[0, inf)",
        curvature="convex affine",
    ),
    Operation(
        "spectral_norm",
        shape="A[n, m] -> []",
        pullback={"A": "Y_bar/Y*A @ outer(eigvecs(A' @ A)[:, m - 1], eigvecs(A' @ A)[:, m - 1])"},
        because="dY = (A @ eigvecs(A' @ A)[:, m - 1]) @ dA @ eigvecs(A' @ A)[:, m - 1]/Y",
        numeric="np.linalg.norm({A}, 2, axis=(-2, -1))",
        latex=r"\operatorname{{spectral\,norm}}\left({A}\right)",
        source="Watson (1992): the largest singular value, where it is simple",
        range="[0, inf)",
        curvature="convex affine",
    ),
    Operation(
        "logsumexp",
        shape="x[n] -> []",
        pullback={"x": "Y_bar*softmax(x)"},
        because="dY = softmax(x) @ dx",
        definition="log(sum(exp(x)))",
        numeric="special.logsumexp({x}, axis=-1)",
        latex=r"\operatorname{{logsumexp}}\left({x}\right)",
        source="Boyd and Vandenberghe (2004), 3.1.5",
        curvature="convex increasing",
    ),
    Operation(
        "softmax",
        shape="x[n] -> [n]",
        pullback={"x": "Y*(Y_bar - Y @ Y_bar)"},
        because="dY = Y*(dx - Y @ dx)",
        definition="exp(x)/sum(exp(x))",
        numeric="special.softmax({x}, axis=-1)",
        latex=r"\operatorname{{softmax}}\left({x}\right)",
        source="Bishop (2006), eq. 4.106",
        range="(0, 1]",
        facts={"real": "simplex"},
    ),
    Operation(
        "log_softmax",
        shape="x[n] -> [n]",
        pullback={"x": "Y_bar - softmax(x)*sum(Y_bar)"},
        because="dY = dx - softmax(x) @ dx",
        definition="x - log(sum(exp(x)))",
        numeric="special.log_softmax({x}, axis=-1)",
        latex=r"\operatorname{{log\,softmax}}\left({x}\right)",
        source="Bishop (2006), eq. 4.106",
        range="(-inf, 0]",
        curvature="concave affine",
    ),
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {row.name: row for row in ROWS}


def shape_of(name: str, shapes: Sequence[tuple[Scalar, ...]]) -> tuple[Scalar, ...]:
    """The shape of the value for operands of these shapes (an operand without axes is a number: the shape ()).

    The batch axes are those of the first operand. Raises ValueError where ranks or sizes do not fit the signature.
    """
    row = OPERATIONS[name]
    sizes: dict[str, Scalar] = {}
    batch: tuple[Scalar, ...] | None = None
    if len(shapes) != len(row.operands):
        raise ValueError(f"`{name}` takes {len(row.operands)} operands, not {len(shapes)}")
    for (operand, axes), shape in zip(row.operands.items(), shapes, strict=True):
        if len(shape) < len(axes):
            raise ValueError(f"`{operand}` of `{row.shape}` needs {len(axes)} axes, and has {len(shape)}")
        for axis_name, size in zip(axes, shape[len(shape) - len(axes) :], strict=True):
            if sizes.setdefault(axis_name, size) is not size:
                raise ValueError(f"the sizes {sizes[axis_name]} and {size} stand for `{axis_name}` in `{row.shape}`")
        if axes:
            own = shape[: len(shape) - len(axes)]
            if batch is not None and own != batch:
                raise ValueError(f"the batch axes of the operands of `{name}` differ")
            batch = own
    return (*(batch or ()), *(sizes[a] for a in row.result))
