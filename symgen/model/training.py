"""The methods that `train` knows ▣, with the names of their options; generated code runs them (codegen/optimisers.py)."""

from __future__ import annotations

ADAM = ("lr", "beta1", "beta2", "eps")

METHODS: dict[str, tuple[str, ...]] = {
    "sgd": ("lr",),
    "momentum": ("lr", "beta"),
    "rmsprop": ("lr", "rho", "eps"),
    "adam": ADAM,
    "adamw": (*ADAM, "decay"),
    "lbfgs": ("history", "tol"),
    "newton": ("tol",),
}
GAME_METHODS: dict[str, tuple[str, ...]] = {
    "simultaneous": ("lr",),
    "alternating": ("lr",),
    "extragradient": ("lr",),
    "optimistic": ("lr",),
    **{name: METHODS[name] for name in ("sgd", "momentum", "rmsprop", "adam", "adamw")},
}
OPTIONS = ("steps", "batch", "seed", "samples", "inner")
POSITIVE = ("lr", "eps", "tol", "history", "steps", "batch", "samples", "inner")
WHOLE = ("steps", "batch", "samples", "inner", "seed", "history")
