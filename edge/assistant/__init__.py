"""The operators' assistant: answers from the line's own records and the plant's documents.

    question ──▶ slots ──▶ records ──▶ sentences         every figure is formed by code
                   │ not all words understood
                   └─────▶ library ──▶ text model ──▶ evidence gate ──▶ answer, or 'no entry'

A process of its own. It reads the verdict store and writes its own feedback; nothing that anybody
asks, and nothing that a document says, changes the line.
"""
