"""The composition of the reconciler: here, and only here, the parts meet their adapters."""

from reconciler.composition.rebuilding import rebuild_account
from reconciler.composition.reconciler import DeclaredPublishers, Reconciler

__all__ = ["DeclaredPublishers", "Reconciler", "rebuild_account"]
