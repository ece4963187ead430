"""The functions on elements ▣: what each is, where it lives, how it is differentiated, computed and printed.

The formulas are in symgen's own language, over the names of the arguments, `Y` for the value; `derivative` holds one
text per argument, None where symgen has no rule. Intervals are written as in mathematics: `(0, inf)`, `[-1, 1]`.
"""

from __future__ import annotations

from dataclasses import dataclass

REAL, POSITIVE, NONNEGATIVE, UNIT = "(-inf, inf)", "(0, inf)", "[0, inf)", "(0, 1)"


@dataclass(frozen=True)
class Function:
    """A function of numbers.

    `domain` is one interval per argument, `poles` the points inside it where there is no value; `range` an interval.
    `numeric` is a NumPy template over the arguments (with `special` for scipy.special if `scipy`, or functions that generated
    code carries). `kinks` are the
    conditions that fail where the derivative jumps (there the subgradient 0 is taken). `definition` says a compound
    function in simpler ones. `monotone` is increasing or decreasing (strictly), `curvature` convex or concave, both in
    a single argument; `log_curvature` is that of its logarithm where it is positive and the argument no pole, on the
    positive numbers where there are poles. `tied` is the derivative by the last argument where two may be equal on an open
    set, so that a kink is no exception there. Trailing arguments may be left out where `defaults` has them. `internal` ones
    are of indices and no function of the language.
    """

    name: str
    arguments: tuple[str, ...]
    derivative: tuple[str | None, ...]
    numeric: str
    latex: str
    domain: tuple[str, ...] = (REAL,)
    range: str = REAL
    scipy: bool = False
    kinks: tuple[str, ...] = ()
    poles: str | None = None
    definition: str | None = None
    monotone: str | None = None
    curvature: str | None = None
    log_curvature: str | None = None
    defaults: tuple[str, ...] = ()
    parity: str | None = None
    tied: str | None = None
    internal: bool = False
    source: str = "DLMF (2024)"

    @property
    def least_arity(self) -> int:
        return len(self.arguments) - len(self.defaults)


X, XY = ("x",), ("x", "y")

ROWS = (
    # exponentials and logarithms
    Function("exp", X, ("Y",), "np.exp({x})", r"\exp\left({x}\right)",
             range=POSITIVE, monotone="increasing", curvature="convex", source="DLMF 4.2"),
    Function("log", X, ("1/x",), "np.log({x})", r"\log {x}",
             domain=(POSITIVE,), monotone="increasing", curvature="concave", source="DLMF 4.2"),
    Function("log1p", X, ("1/(1 + x)",), "np.log1p({x})", r"\log\left(1 + {x}\right)",
             domain=("(-1, inf)",), definition="log(1 + x)", monotone="increasing", curvature="concave",
             source="DLMF 4.2"),
    Function("expm1", X, ("1 + Y",), "np.expm1({x})", r"\left(e^{{{x}}} - 1\right)",
             range="(-1, inf)", definition="exp(x) - 1", monotone="increasing", curvature="convex", source="DLMF 4.2"),
    Function("sqrt", X, ("1/(2*Y)",), "np.sqrt({x})", r"\sqrt{{{x}}}",
             domain=(NONNEGATIVE,), range=NONNEGATIVE, definition="x^(1/2)", monotone="increasing", curvature="concave",
             source="DLMF 4.2"),
    Function("xlogy", XY, ("log(y)", "x/y"), "special.xlogy({x}, {y})", r"{x} \log {y}",
             domain=(REAL, NONNEGATIVE), scipy=True, definition="where(x == 0, 0, x*log(y))", source="scipy.special"),
    # size and sign
    Function("abs", X, ("sign(x)",), "np.abs({x})", r"\left|{x}\right|",
             range=NONNEGATIVE, kinks=("x != 0",), definition="where(x < 0, -x, x)", curvature="convex", parity="even",
             source="DLMF 1.9"),
    Function("sign", X, ("0",), "np.sign({x})", r"\operatorname{{sign}}\left({x}\right)",
             range="[-1, 1]", kinks=("x != 0",), definition="where(x < 0, -1, where(x == 0, 0, 1))", parity="odd",
             source="DLMF 1.9"),
    Function("floor", X, ("0",), "np.floor({x})", r"\left\lfloor {x} \right\rfloor",
             kinks=("x != floor(x)",), source="DLMF front matter"),
    Function("max", XY, ("where(x > y, 1, 0)", "where(y > x, 1, 0)"), "np.maximum({x}, {y})",
             r"\max\left({x}, {y}\right)", domain=(REAL, REAL), kinks=("x != y",), definition="where(x < y, y, x)",
             tied="where(x > y, 0, 1)", source="Rockafellar (1970), 23"),
    Function("min", XY, ("where(x < y, 1, 0)", "where(y < x, 1, 0)"), "np.minimum({x}, {y})",
             r"\min\left({x}, {y}\right)", domain=(REAL, REAL), kinks=("x != y",), definition="where(x < y, x, y)",
             tied="where(x < y, 0, 1)", source="Rockafellar (1970), 23"),
    Function("clip", ("x", "a", "b"), ("where(a < x and x < b, 1, 0)", "where(x < a, 1, 0)", "where(x > b, 1, 0)"),
             "np.clip({x}, {a}, {b})", r"\operatorname{{clip}}\left({x}, {a}, {b}\right)", domain=(REAL, REAL, REAL),
             kinks=("x != a", "x != b"), definition="where(x < a, a, where(b < x, b, x))",
             source="numpy.clip, for a <= b"),
    # trigonometry
    Function("sin", X, ("cos(x)",), "np.sin({x})", r"\sin {x}", range="[-1, 1]", parity="odd", source="DLMF 4.20"),
    Function("cos", X, ("-sin(x)",), "np.cos({x})", r"\cos {x}", range="[-1, 1]", parity="even", source="DLMF 4.20"),
    Function("tan", X, ("1 + Y^2",), "np.tan({x})", r"\tan {x}", poles="pi/2 + k*pi", parity="odd", source="DLMF 4.20"),
    Function("asin", X, ("1/sqrt(1 - x^2)",), "np.arcsin({x})", r"\arcsin {x}", domain=("[-1, 1]",),
             range="[-1.5707963267948966, 1.5707963267948966]", monotone="increasing", parity="odd",
             source="DLMF 4.24"),
    Function("acos", X, ("-1/sqrt(1 - x^2)",), "np.arccos({x})", r"\arccos {x}", domain=("[-1, 1]",),
             range="[0, 3.141592653589794]", monotone="decreasing", source="DLMF 4.24"),
    Function("atan", X, ("1/(1 + x^2)",), "np.arctan({x})", r"\arctan {x}",
             range="(-1.5707963267948966, 1.5707963267948966)", monotone="increasing", parity="odd",
             source="DLMF 4.24"),
    Function("sinh", X, ("cosh(x)",), "np.sinh({x})", r"\sinh {x}", monotone="increasing", parity="odd",
             definition="(exp(x) - exp(-x))/2", source="DLMF 4.34"),
    Function("cosh", X, ("sinh(x)",), "np.cosh({x})", r"\cosh {x}", range="[1, inf)", curvature="convex", parity="even",
             definition="(exp(x) + exp(-x))/2", log_curvature="convex", source="DLMF 4.34"),
    Function("tanh", X, ("1 - Y^2",), "np.tanh({x})", r"\tanh {x}", range="(-1, 1)", monotone="increasing",
             parity="odd", definition="(exp(x) - exp(-x))/(exp(x) + exp(-x))", source="DLMF 4.34"),
    # activations
    Function("sigmoid", X, ("Y*(1 - Y)",), "special.expit({x})", r"\sigma\left({x}\right)", range=UNIT, scipy=True,
             definition="1/(1 + exp(-x))", monotone="increasing", log_curvature="concave", source="Bishop (2006), 4.59, 4.88"),
    Function("softplus", X, ("sigmoid(x)",), "np.logaddexp(0.0, {x})", r"\operatorname{{softplus}}\left({x}\right)",
             range=POSITIVE, definition="log(1 + exp(x))", monotone="increasing", curvature="convex",
             log_curvature="concave", source="Dugas et al. (2001)"),
    Function("relu", X, ("where(x > 0, 1, 0)",), "np.maximum({x}, 0.0)", r"\operatorname{{relu}}\left({x}\right)",
             range=NONNEGATIVE, kinks=("x != 0",), definition="where(x > 0, x, 0)", curvature="convex",
             source="Nair and Hinton (2010)"),
    Function("leaky_relu", ("x", "a"), ("where(x > 0, 1, where(x < 0, a, 0))", "where(x < 0, x, 0)"),
             "np.where({x} > 0, {x}, {a}*{x})", r"\operatorname{{lrelu}}_{{{a}}}\left({x}\right)", domain=(REAL, REAL),
             kinks=("x != 0",), definition="where(x > 0, x, a*x)", defaults=("1/100",), source="Maas et al. (2013)"),
    Function("elu", ("x", "a"), ("where(x > 0, 1, where(x < 0 or a == 1, a*exp(x), 0))", "where(x < 0, exp(x) - 1, 0)"),
             "np.where({x} > 0, {x}, {a}*np.expm1(np.minimum({x}, 0.0)))",
             r"\operatorname{{elu}}_{{{a}}}\left({x}\right)", domain=(REAL, REAL), kinks=("x != 0", "a == 1"),
             definition="where(x > 0, x, a*(exp(x) - 1))", defaults=("1",), source="Clevert et al. (2016), eq. 15"),
    Function("gelu", X, ("(1 + erf(x/sqrt(2)))/2 + x*exp(-x^2/2)/sqrt(2*pi)",),
             "0.5*{x}*(1.0 + special.erf({x}/np.sqrt(2.0)))", r"\operatorname{{gelu}}\left({x}\right)", scipy=True,
             range="(-0.17, inf)", definition="x*(1 + erf(x/sqrt(2)))/2", source="Hendrycks and Gimpel (2016)"),
    Function("silu", X, ("sigmoid(x)*(1 + x*(1 - sigmoid(x)))",), "{x}*special.expit({x})",
             r"\operatorname{{silu}}\left({x}\right)", scipy=True, range="(-0.279, inf)", definition="x*sigmoid(x)",
             source="Elfwing et al. (2018)"),
    # error and gamma functions
    Function("erf", X, ("2/sqrt(pi)*exp(-x^2)",), "special.erf({x})", r"\operatorname{{erf}}\left({x}\right)",
             range="(-1, 1)", scipy=True, monotone="increasing", parity="odd", source="DLMF 7.2"),
    Function("erfc", X, ("-2/sqrt(pi)*exp(-x^2)",), "special.erfc({x})", r"\operatorname{{erfc}}\left({x}\right)",
             range="(0, 2)", scipy=True, monotone="decreasing", definition="1 - erf(x)",
             log_curvature="concave", source="DLMF 7.2"),
    Function("gamma", X, ("Y*digamma(x)",), "special.gamma({x})", r"\Gamma\left({x}\right)", scipy=True,
             poles="0, -1, -2, ..", log_curvature="convex", source="DLMF 5.2"),
    Function("lgamma", X, ("digamma(x)",), "special.gammaln({x})", r"\log\Gamma\left({x}\right)", scipy=True,
             poles="0, -1, -2, ..", source="DLMF 5.2; log|Gamma(x)| where Gamma(x) < 0"),
    Function("digamma", X, ("trigamma(x)",), "special.digamma({x})", r"\psi\left({x}\right)", scipy=True,
             poles="0, -1, -2, ..", source="DLMF 5.2"),
    Function("trigamma", X, ("polygamma(2, x)",), "special.polygamma(1, {x})", r"\psi_1\left({x}\right)", scipy=True,
             range=POSITIVE, poles="0, -1, -2, ..", definition="polygamma(1, x)", log_curvature="convex", source="DLMF 5.15"),
    Function("digammainv", X, ("1/trigamma(Y)",), "digammainv({x})", r"\operatorname{{digammainv}}\left({x}\right)", scipy=True,
             range=POSITIVE, monotone="increasing", source="Minka (2000), C: the y > 0 with digamma(y) = x"),
    Function("polygamma", ("n", "x"), (None, "polygamma(n + 1, x)"), "special.polygamma({n}, {x})",
             r"\psi^{{({n})}}\left({x}\right)", domain=(NONNEGATIVE, REAL), scipy=True, poles="0, -1, -2, ..",
             source="DLMF 5.15"),
    Function("beta", XY, ("Y*(digamma(x) - digamma(x + y))", "Y*(digamma(y) - digamma(x + y))"),
             "special.beta({x}, {y})", r"\mathrm{{B}}\left({x}, {y}\right)", domain=(POSITIVE, POSITIVE),
             range=POSITIVE, scipy=True, definition="gamma(x)*gamma(y)/gamma(x + y)", source="DLMF 5.12"),
    Function("lbeta", XY, ("digamma(x) - digamma(x + y)", "digamma(y) - digamma(x + y)"), "special.betaln({x}, {y})",
             r"\log\mathrm{{B}}\left({x}, {y}\right)", domain=(POSITIVE, POSITIVE), scipy=True,
             definition="lgamma(x) + lgamma(y) - lgamma(x + y)", source="DLMF 5.12"),
    # special functions of closed forms
    Function("E1", X, ("-exp(-x)/x",), "special.exp1({x})", r"E_1\left({x}\right)", domain=(POSITIVE,), range=POSITIVE,
             scipy=True, monotone="decreasing", curvature="convex", log_curvature="convex", source="DLMF 6.2.1"),
    Function("Ei", X, ("exp(x)/x",), "special.expi({x})", r"\operatorname{{Ei}}\left({x}\right)", scipy=True, poles="0",
             source="DLMF 6.2.5"),
    Function("dilog", X, ("-log(1 - x)/x",), "special.spence(1.0 - {x})", r"\operatorname{{Li}}_2\left({x}\right)",
             domain=("(-inf, 1]",), scipy=True, monotone="increasing",
             source="DLMF 25.12.1: Li_2, so that dilog(1) = pi^2/6"),
    Function("igamma", ("a", "x"), ("igamma_da(a, x)", "exp((a - 1)*log(x) - x - lgamma(a))"), "special.gammainc({a}, {x})",
             r"P\left({a}, {x}\right)", domain=(POSITIVE, NONNEGATIVE), range="[0, 1]", scipy=True,
             source="DLMF 8.2.4: the regularised lower incomplete gamma function P(a, x)"),
    Function("ibeta", ("a", "b", "x"),
             ("ibeta_da(a, b, x)", "ibeta_db(a, b, x)", "exp((a - 1)*log(x) + (b - 1)*log(1 - x) - lbeta(a, b))"),
             "special.betainc({a}, {b}, {x})", r"I_{{{x}}}\left({a}, {b}\right)", domain=(POSITIVE, POSITIVE, "[0, 1]"),
             range="[0, 1]", scipy=True, source="DLMF 8.17.2: the regularised incomplete beta function I_x(a, b)"),
    Function("igamma_da", ("a", "x"), (None, "exp((a - 1)*log(x) - x - lgamma(a))*(log(x) - digamma(a))"),
             "igamma_da({a}, {x})", r"\partial_1 P\left({a}, {x}\right)", domain=(POSITIVE, NONNEGATIVE), range="(-inf, 0]",
             source="DLMF 8.2.4, by its first argument"),
    Function("ibeta_da", ("a", "b", "x"),
             (None, None, "exp((a - 1)*log(x) + (b - 1)*log(1 - x) - lbeta(a, b))*(log(x) - digamma(a) + digamma(a + b))"),
             "ibeta_da({a}, {b}, {x})", r"\partial_1 I_{{{x}}}\left({a}, {b}\right)", domain=(POSITIVE, POSITIVE, "[0, 1]"),
             range="(-inf, 0]", source="DLMF 8.17.2, by its first parameter"),
    Function("ibeta_db", ("a", "b", "x"),
             (None, None, "exp((a - 1)*log(x) + (b - 1)*log(1 - x) - lbeta(a, b))*(log(1 - x) - digamma(b) + digamma(a + b))"),
             "ibeta_db({a}, {b}, {x})", r"\partial_2 I_{{{x}}}\left({a}, {b}\right)", domain=(POSITIVE, POSITIVE, "[0, 1]"),
             range="[0, inf)", source="DLMF 8.17.2, by its second parameter"),
    Function("gamma_shift", ("a", "x"), (None, "digamma(a) - log(x) + Y*(1 - (a - 1)/x)"), "gamma_shift({a}, {x})",
             r"\operatorname{{gamma shift}}\left({a}, {x}\right)", domain=(POSITIVE, NONNEGATIVE), range=NONNEGATIVE,
             source="Figurnov et al. (2018), 3: -P_a/P_x, how x moves with a while P(a, x) stays"),
    Function("beta_shift_a", ("a", "b", "x"),
             (None, None, "digamma(a) - digamma(a + b) - log(x) + Y*((b - 1)/(1 - x) - (a - 1)/x)"), "beta_shift_a({a}, {b}, {x})",
             r"\operatorname{{beta shift a}}\left({a}, {b}, {x}\right)", domain=(POSITIVE, POSITIVE, "[0, 1]"), range=NONNEGATIVE,
             source="Figurnov et al. (2018), 3: how x moves with a while I_x(a, b) stays"),
    Function("beta_shift_b", ("a", "b", "x"),
             (None, None, "digamma(b) - digamma(a + b) - log(1 - x) + Y*((b - 1)/(1 - x) - (a - 1)/x)"),
             "beta_shift_b({a}, {b}, {x})", r"\operatorname{{beta shift b}}\left({a}, {b}, {x}\right)",
             domain=(POSITIVE, POSITIVE, "[0, 1]"), range="(-inf, 0]",
             source="Figurnov et al. (2018), 3: how x moves with b while I_x(a, b) stays"),
    Function("student_shift", ("nu", "t"),
             (None, "(digamma(nu/2) - digamma((nu + 1)/2) + 1/nu + log(1 + t^2/nu) - (nu + 1)*t^2/(nu*(nu + t^2)))/2"
              " + Y*(nu + 1)*t/(nu + t^2)"), "student_shift({nu}, {t})",
             r"\operatorname{{Student shift}}\left({nu}, {t}\right)", domain=(POSITIVE, REAL),
             source="Figurnov et al. (2018), 3: how t moves with nu while Student's distribution function stays"),
    Function("igammainv", ("a", "u"),
             ("gamma_shift(a, Y)", "exp(Y + lgamma(a) - (a - 1)*log(Y))"),
             "special.gammaincinv({a}, {u})", r"\operatorname{{igammainv}}\left({a}, {u}\right)", domain=(POSITIVE, "[0, 1)"),
             range=NONNEGATIVE, scipy=True, source="DLMF 8.12: the x with P(a, x) = u"),
    Function("ibetainv", ("a", "b", "u"),
             ("beta_shift_a(a, b, Y)", "beta_shift_b(a, b, Y)",
              "exp(lbeta(a, b) - (a - 1)*log(Y) - (b - 1)*log(1 - Y))"),
             "special.betaincinv({a}, {b}, {u})", r"\operatorname{{ibetainv}}\left({a}, {b}, {u}\right)",
             domain=(POSITIVE, POSITIVE, "[0, 1]"), range="[0, 1]", scipy=True, source="DLMF 8.17: the x with I_x(a, b) = u"),
    Function("besseli", ("n", "x"), (None, "besseli(n + 1, x) + n*besseli(n, x)/x"), "special.iv({n}, {x})",
             r"I_{{{n}}}\left({x}\right)", domain=(REAL, NONNEGATIVE), scipy=True, source="DLMF 10.29.1"),
    Function("besselk", ("n", "x"), (None, "-(besselk(n - 1, x) + besselk(n + 1, x))/2"), "special.kv({n}, {x})",
             r"K_{{{n}}}\left({x}\right)", domain=(REAL, POSITIVE), range=POSITIVE, scipy=True, source="DLMF 10.29.1"),
    Function("hyp1f1", ("a", "b", "x"), (None, None, "a/b*hyp1f1(a + 1, b + 1, x)"), "special.hyp1f1({a}, {b}, {x})",
             r"{{}}_1F_1\left({a}; {b}; {x}\right)", domain=(REAL, REAL, REAL), scipy=True, source="DLMF 13.3.15"),
    Function("hyp2f1", ("a", "b", "c", "x"), (None, None, None, "a*b/c*hyp2f1(a + 1, b + 1, c + 1, x)"),
             "special.hyp2f1({a}, {b}, {c}, {x})", r"{{}}_2F_1\left({a}, {b}; {c}; {x}\right)",
             domain=(REAL, REAL, REAL, "(-inf, 1)"), scipy=True, source="DLMF 15.5.1"),
    Function("hyperu", ("a", "b", "x"), (None, None, "-a*hyperu(a + 1, b + 1, x)"), "special.hyperu({a}, {b}, {x})",
             r"U\left({a}, {b}, {x}\right)", domain=(REAL, REAL, POSITIVE), scipy=True, source="DLMF 13.3.22"),
    Function("zeta", ("s", "a"), (None, "-s*zeta(s + 1, a)"), "special.zeta({s}, {a})",
             r"\zeta\left({s}, {a}\right)", domain=("(1, inf)", POSITIVE), range=POSITIVE, scipy=True, defaults=("1",),
             source="DLMF 25.11.17: the Hurwitz zeta function"),
    # real and imaginary parts at z = x + i y
    Function("scaled_E1_re", XY, ("Y - x/(x^2 + y^2)", "-scaled_E1_im(x, y) - y/(x^2 + y^2)"), "complex_E1({x}, {y}).real",
             r"\operatorname{{Re}} U\left(1, 1, {x} + i\,{y}\right)", domain=(REAL, REAL),
             source="DLMF 13.6.6: the real part of U(1, 1, z) = exp(z) E_1(z), z = x + i y"),
    Function("scaled_E1_im", XY, ("Y + y/(x^2 + y^2)", "scaled_E1_re(x, y) - x/(x^2 + y^2)"), "complex_E1({x}, {y}).imag",
             r"\operatorname{{Im}} U\left(1, 1, {x} + i\,{y}\right)", domain=(REAL, REAL),
             source="DLMF 13.6.6: the imaginary part of U(1, 1, z) = exp(z) E_1(z), z = x + i y"),
    Function("polygamma_re", ("n", "x", "y"), (None, "polygamma_re(n + 1, x, y)", "-polygamma_im(n + 1, x, y)"),
             "complex_polygamma({n}, {x}, {y}).real", r"\operatorname{{Re}} \psi^{{({n})}}\left({x} + i\,{y}\right)",
             domain=(NONNEGATIVE, POSITIVE, REAL), source="DLMF 5.15: real part of the derivative n of digamma at x + i y"),
    Function("polygamma_im", ("n", "x", "y"), (None, "polygamma_im(n + 1, x, y)", "polygamma_re(n + 1, x, y)"),
             "complex_polygamma({n}, {x}, {y}).imag", r"\operatorname{{Im}} \psi^{{({n})}}\left({x} + i\,{y}\right)",
             domain=(NONNEGATIVE, POSITIVE, REAL), source="DLMF 5.15: imaginary part of the derivative n of digamma at x + i y"),
    Function("lerch_re", ("s", "a", "x", "y"),
             (None, "-s*lerch_re(s + 1, a, x, y)",
              "((lerch_re(s - 1, a, x, y) - a*Y)*x + (lerch_im(s - 1, a, x, y) - a*lerch_im(s, a, x, y))*y)/(x^2 + y^2)",
              "((lerch_re(s - 1, a, x, y) - a*Y)*y - (lerch_im(s - 1, a, x, y) - a*lerch_im(s, a, x, y))*x)/(x^2 + y^2)"),
             "complex_lerch({s}, {a}, {x}, {y}).real", r"\operatorname{{Re}} \Phi\left({x} + i\,{y}, {s}, {a}\right)",
             domain=(NONNEGATIVE, POSITIVE, REAL, REAL),
             source="DLMF 25.14: the real part of Lerch's function Phi(z, s, a), the sum of z^n/(n + a)^s, z = x + i y"),
    Function("lerch_im", ("s", "a", "x", "y"),
             (None, "-s*lerch_im(s + 1, a, x, y)",
              "((lerch_im(s - 1, a, x, y) - a*Y)*x - (lerch_re(s - 1, a, x, y) - a*lerch_re(s, a, x, y))*y)/(x^2 + y^2)",
              "((lerch_re(s - 1, a, x, y) - a*lerch_re(s, a, x, y))*x + (lerch_im(s - 1, a, x, y) - a*Y)*y)/(x^2 + y^2)"),
             "complex_lerch({s}, {a}, {x}, {y}).imag", r"\operatorname{{Im}} \Phi\left({x} + i\,{y}, {s}, {a}\right)",
             domain=(NONNEGATIVE, POSITIVE, REAL, REAL),
             source="DLMF 25.14: the imaginary part of Lerch's function Phi(z, s, a), the sum of z^n/(n + a)^s, z = x + i y"),
    # of indices: reshape, vec and kron are made of these
    Function("mod", XY, (None, None), "np.mod({x}, {y})", r"({x} \bmod {y})", domain=(REAL, REAL), internal=True),
    Function("div", XY, (None, None), "np.floor_divide({x}, {y})", r"\left\lfloor {x}/{y} \right\rfloor",
             domain=(REAL, REAL), internal=True),
)  # fmt: skip

FUNCTIONS: dict[str, Function] = {row.name: row for row in ROWS}
