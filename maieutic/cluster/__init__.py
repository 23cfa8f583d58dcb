"""Work on many machines with Ray Data: sessions, workers that may die, and statements in and answers out.

Ray is in the extra ``ray``; it loads when a function is called.
"""

from __future__ import annotations

from maieutic.cluster.session import LOCAL, Cluster
from maieutic.cluster.statements import answer_dataset

__all__ = ["LOCAL", "Cluster", "answer_dataset"]
