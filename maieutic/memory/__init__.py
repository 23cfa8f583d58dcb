"""A memory: propositions, beliefs, relations, facts and answers in one SQLite file.

``base`` has the class :class:`maieutic.memory.base.Memory`; ``asking`` how a question is answered in one.
"""
